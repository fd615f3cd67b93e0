/** Which language the page speaks. */

/** The message files there are, by the tag that `?lang=` takes. */
const LOCALES = {
  en: { direction: "ltr" },
  ar: { direction: "rtl" },
  /** English with accents and longer, for tests of the layout. */
  "en-XA": { direction: "ltr" },
} as const;

export type Locale = keyof typeof LOCALES;

export interface Language {
  /** Of the message file. */
  locale: Locale;
  /** For dates and numbers: the person's own region, if it fits the texts. */
  formats: string;
  direction: "ltr" | "rtl";
}

function isLocale(tag: string): tag is Locale {
  return Object.hasOwn(LOCALES, tag);
}

function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length > 0;
  } catch {
    return false;
  }
}

/**
 * The first of the wanted tags that has messages, otherwise English. `asked` is
 * what the address says, `preferred` what the browser says.
 */
export function negotiate(
  asked: string | null,
  preferred: readonly string[],
): Language {
  const wanted = [...(asked === null ? [] : [asked]), ...preferred];
  for (const tag of wanted) {
    const [base = ""] = tag.split("-");
    const locale = isLocale(tag) ? tag : base;
    if (!isLocale(locale) || !isTag(tag)) continue;
    return {
      locale,
      formats: locale === "en-XA" ? "en" : tag,
      direction: LOCALES[locale].direction,
    };
  }
  return { locale: "en", formats: "en", direction: "ltr" };
}
