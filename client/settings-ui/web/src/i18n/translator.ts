/** Texts, dates and numbers in the page's language. */
import { IntlMessageFormat } from "intl-messageformat";
import { type ComponentChildren, createContext, type VNode } from "preact";
import { useContext } from "preact/hooks";

import type english from "../../messages/en.json";
import type { Language } from "./locale.js";

export type MessageId = keyof typeof english;
export type ParsedMessage = ReturnType<IntlMessageFormat["getAst"]>;
export type Messages = Record<MessageId, string | ParsedMessage>;

type Values = Record<string, string | number>;
type RichValues = Record<
  string,
  string | number | VNode | ((parts: (string | VNode)[]) => VNode)
>;

/** Not thread-safe, like everything in a page; makes each format once. */
export class Translator {
  readonly language: Language;
  readonly #messages: Messages;
  readonly #formats = new Map<MessageId, IntlMessageFormat>();
  readonly #day: Intl.DateTimeFormat;
  readonly #minute: Intl.DateTimeFormat;
  readonly #second: Intl.DateTimeFormat;

  constructor(language: Language, messages: Messages) {
    this.language = language;
    this.#messages = messages;
    const format = (options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat(language.formats, options);
    this.#day = format({ dateStyle: "medium" });
    this.#minute = format({ dateStyle: "medium", timeStyle: "short" });
    this.#second = format({ dateStyle: "medium", timeStyle: "medium" });
  }

  /** A text for an attribute, or without anything but text in it. */
  text(id: MessageId, values: Values = {}): string {
    return String(this.#format(id).format(values));
  }

  /** A text with elements in it. */
  rich(id: MessageId, values: RichValues): ComponentChildren {
    return this.#format(id).format<VNode>(values);
  }

  /** `time` is RFC 3339. */
  time(time: string, precision: "day" | "minute" | "second"): string {
    const formats = {
      day: this.#day,
      minute: this.#minute,
      second: this.#second,
    };
    return formats[precision].format(new Date(time));
  }

  #format(id: MessageId): IntlMessageFormat {
    let format = this.#formats.get(id);
    if (!format) {
      format = new IntlMessageFormat(this.#messages[id], this.language.formats);
      this.#formats.set(id, format);
    }
    return format;
  }
}

/**
 * A name that people chose, inside a text that cannot have elements: Unicode's
 * isolates keep its direction to itself.
 */
export function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

const TranslatorContext = createContext<Translator | null>(null);

export const TranslatorProvider = TranslatorContext.Provider;

export function useTranslator(): Translator {
  const translator = useContext(TranslatorContext);
  if (!translator) throw new Error("there is no TranslatorProvider");
  return translator;
}
