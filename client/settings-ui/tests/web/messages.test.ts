/** The message files fit each other, and their languages. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";

import {
  isArgumentElement,
  isPluralElement,
  isTagElement,
  type MessageFormatElement,
  parse,
} from "@formatjs/icu-messageformat-parser";
import { IntlMessageFormat } from "intl-messageformat";

import { negotiate } from "../../web/src/i18n/locale.js";
import { pseudoMessages } from "../../web/src/i18n/pseudo.js";

type Messages = Record<string, string>;

function read(locale: string): Messages {
  // The tests are run from dist, the messages are in the sources.
  const file = path.resolve(
    import.meta.dirname,
    `../../../web/messages/${locale}.json`,
  );
  return JSON.parse(readFileSync(file, "utf8")) as Messages;
}

const english = read("en");
const arabic = read("ar");

/** All arguments and tags of a message, and the categories of its plurals. */
function contentsOf(elements: MessageFormatElement[]): {
  names: Set<string>;
  plurals: string[][];
} {
  const names = new Set<string>();
  const plurals: string[][] = [];
  const visit = (some: MessageFormatElement[]) => {
    for (const element of some) {
      if (isPluralElement(element)) {
        names.add(element.value);
        plurals.push(Object.keys(element.options));
        for (const { value } of Object.values(element.options)) visit(value);
      } else if (isTagElement(element)) {
        names.add(`<${element.value}>`);
        visit(element.children);
      } else if (isArgumentElement(element)) {
        names.add(element.value);
      }
    }
  };
  visit(elements);
  return { names, plurals };
}

for (const [locale, messages] of Object.entries({ en: english, ar: arabic })) {
  describe(locale, () => {
    it("has each message, with the arguments of the English one", () => {
      assert.deepEqual(Object.keys(messages), Object.keys(english));
      for (const [id, message] of Object.entries(messages)) {
        assert.notEqual(message.trim(), "", id);
        assert.deepEqual(
          contentsOf(parse(message)).names,
          contentsOf(parse(english[id] ?? "")).names,
          id,
        );
      }
    });

    it("has each plural category of its language", () => {
      const wanted = new Intl.PluralRules(locale).resolvedOptions()
        .pluralCategories;
      let count = 0;
      for (const [id, message] of Object.entries(messages)) {
        for (const found of contentsOf(parse(message)).plurals) {
          assert.deepEqual(found.sort(), [...wanted].sort(), id);
          count += 1;
        }
      }
      assert.ok(count > 0);
    });
  });
}

it("Arabic is in Arabic letters", () => {
  for (const [id, message] of Object.entries(arabic)) {
    assert.match(message, /\p{Script=Arabic}/u, id);
  }
});

it("the pseudo-language is 40 % longer, and keeps arguments", () => {
  const pseudo = pseudoMessages(english);
  for (const [id, message] of Object.entries(english)) {
    const changed = pseudo[id] ?? assert.fail(id);
    const { names } = contentsOf(changed);
    assert.deepEqual(names, contentsOf(parse(message)).names, id);
    const values = Object.fromEntries<unknown>(
      Array.from(names, (name) =>
        name.startsWith("<")
          ? [name.slice(1, -1), (parts: string[]) => parts.join("")]
          : [name, name === "count" || name === "days" ? 2 : ""],
      ),
    );
    const write = (text: string | MessageFormatElement[]) =>
      String(
        new IntlMessageFormat(text, "en").format(
          values as Record<string, string>,
        ),
      );
    assert.ok(write(changed).length >= 1.4 * write(message).length, id);
  }
});

describe("negotiate", () => {
  for (const [name, asked, preferred, locale, formats] of [
    ["what the address says", "ar", ["en-GB"], "ar", "ar"],
    ["what the browser says", null, ["ar-EG", "en"], "ar", "ar-EG"],
    ["the region, for dates", null, ["en-GB"], "en", "en-GB"],
    ["the first that there is", null, ["de", "fr", "ar"], "ar", "ar"],
    ["English for others", "de", ["fr-FR"], "en", "en"],
    ["the pseudo-language", "en-XA", [], "en-XA", "en"],
    ["no nonsense", "en-<b>", ["ar"], "ar", "ar"],
    ["no property of objects", "constructor", [], "en", "en"],
  ] as const) {
    it(name, () => {
      const language = negotiate(asked, preferred);
      assert.equal(language.locale, locale);
      assert.equal(language.formats, formats);
      assert.equal(language.direction, locale === "ar" ? "rtl" : "ltr");
    });
  }
});
