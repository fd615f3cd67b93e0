/**
 * A language for tests: English that is 40 % longer and has accents, so that
 * what is cut, or was never in a message file, shows.
 */
import { isLiteralElement } from "@formatjs/icu-messageformat-parser";
import { IntlMessageFormat } from "intl-messageformat";

import type { ParsedMessage } from "./translator.js";

/** The share by which texts of other languages tend to be longer. */
const GROWTH = 0.4;
const PLAIN = "aceinouyACEINOUY";
const ACCENTED = "áçéîñöûýÁÇÉÎÑÖÛÝ";
const FILLER = "lörém ípsüm ";

function accent(text: string): string {
  return text.replace(/[aceinouy]/gi, (letter) =>
    ACCENTED.charAt(PLAIN.indexOf(letter)),
  );
}

function lengthen(text: string): string {
  const letters = text.trim().length;
  if (letters === 0) return text;
  const missing = Math.ceil(letters * GROWTH);
  return `${accent(text)} ${FILLER.repeat(1 + missing / FILLER.length).slice(0, missing)}`;
}

/** Changes the texts of a parsed message; its arguments stay. */
function change(elements: ParsedMessage): void {
  for (const element of elements) {
    // Other kinds of elements have no texts of their own.
    if ("options" in element) {
      for (const option of Object.values(element.options)) change(option.value);
    } else if ("children" in element) {
      change(element.children);
    } else if (isLiteralElement(element)) {
      element.value = lengthen(element.value);
    }
  }
}

export function pseudoMessage(message: string): ParsedMessage {
  const elements = new IntlMessageFormat(message, "en").getAst();
  change(elements);
  return elements;
}

export function pseudoMessages<Id extends string>(
  messages: Record<Id, string>,
): Record<Id, ParsedMessage> {
  const changed: Partial<Record<Id, ParsedMessage>> = {};
  for (const id of Object.keys(messages) as Id[]) {
    changed[id] = pseudoMessage(messages[id]);
  }
  return changed as Record<Id, ParsedMessage>;
}
