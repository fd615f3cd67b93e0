/**
 * A language for tests: English that is 40 % longer and has accents, so that
 * what is cut, or was never in a message file, shows.
 */
import { isLiteralElement } from "@formatjs/icu-messageformat-parser";
import { IntlMessageFormat } from "intl-messageformat";

import type { ParsedMessage } from "./translator.js";

/**
 * These are written twice, and with accents. They are so frequent that every
 * text becomes at least 40 % longer, as in other languages. Whatever is part of
 * a text stays part of it, as a button's text is of its accessible name.
 */
const PLAIN = "aceilnorstuyACEILNORSTUY";
const ACCENTED = "áçéîĺñöŕŝţûýÁÇÉÎĹÑÖŔŜŢÛÝ";

function lengthen(text: string): string {
  return text.replace(/[aceilnorstuy]/gi, (letter) =>
    ACCENTED.charAt(PLAIN.indexOf(letter)).repeat(2),
  );
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

function pseudoMessage(message: string): ParsedMessage {
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
