import type { Language, Locale } from "./locale.js";
import { type Messages, Translator } from "./translator.js";

/** Each file is fetched only for whoever speaks its language. */
const FILES: Record<Locale, () => Promise<Messages>> = {
  en: async () =>
    (await import("../../messages/en.json", { with: { type: "json" } }))
      .default,
  ar: async () =>
    (await import("../../messages/ar.json", { with: { type: "json" } }))
      .default,
  "en-XA": async () => {
    const [{ pseudoMessages }, english] = await Promise.all([
      import("./pseudo.js"),
      import("../../messages/en.json", { with: { type: "json" } }),
    ]);
    return pseudoMessages(english.default);
  },
};

export async function loadTranslator(language: Language): Promise<Translator> {
  return new Translator(language, await FILES[language.locale]());
}
