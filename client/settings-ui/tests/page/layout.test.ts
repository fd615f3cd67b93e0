/**
 * The page on a small screen, in every language, and with names that people
 * may take. Mutants that must fail here: names as markup; texts that are not in
 * the message files; lines that do not wrap.
 */
import assert from "node:assert/strict";
import { it } from "node:test";

import type { Page } from "playwright-core";

import { useStack } from "../support/stack.js";
import {
  as,
  BUILT_PAGE,
  dialog,
  Person,
  secretField,
  useBrowser,
} from "./support/browser.js";
import { capture } from "./support/capture.js";

const stack = useStack({ flags: [`--page=${BUILT_PAGE}`] });
const browser = useBrowser();

const NAMES = [
  "Nightly backup",
  `<img src=x onerror="document.title='markup'">`,
  "😀".repeat(100),
  "نسخة احتياطية ليلية (1)",
  "W".repeat(100),
];

/** 400 % of a window of 1280 by 1024, which is 320 by 256 to the page. */
const ZOOMED = {
  viewport: { width: 320, height: 256 },
  deviceScaleFactor: 4,
};
const NARROW = { viewport: { width: 320, height: 640 } };

/** What is wider than its place, or outside of the window. */
async function findCut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const tell = (element: Element, what: string) => {
      found.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
    };
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) tell(root, "scrolls sideways");
    const open = Array.from(document.querySelectorAll("dialog[open]")).at(-1);
    for (const element of (open ?? document.body).querySelectorAll("*")) {
      if (element.closest(".visually-hidden, svg, option")) continue;
      const { left, right, width } = element.getBoundingClientRect();
      if (width === 0) continue;
      if (left < -0.5 || right > root.clientWidth + 0.5) {
        tell(element, "outside");
      }
      const { overflowX } = getComputedStyle(element);
      const isWider = element.scrollWidth > element.clientWidth + 1;
      if (isWider && overflowX !== "visible") tell(element, "cut");
    }
    if (open && open.scrollWidth > open.clientWidth) tell(open, "scrolls");
    return found;
  });
}

/** The texts that are shown, without those that people or clocks made. */
async function ownTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const texts: string[] = [];
    const walker = document.createTreeWalker(
      document.body,
      NodeFilter.SHOW_TEXT,
    );
    while (walker.nextNode()) {
      const { parentElement, textContent } = walker.currentNode;
      const isOthers = parentElement?.closest(
        "bdi, time, code, noscript, .token-description",
      );
      const text = textContent?.trim() ?? "";
      if (!isOthers && /\p{L}/u.test(text)) texts.push(text);
    }
    for (const element of document.querySelectorAll("[aria-label]")) {
      texts.push(element.getAttribute("aria-label") ?? "");
    }
    return texts;
  });
}

/** Visits what can be opened, by the order of the buttons, in any language. */
async function visit(
  page: Page,
  look: (state: string) => Promise<void>,
): Promise<void> {
  await page
    .locator("li.token")
    .nth(NAMES.length - 1)
    .waitFor();
  await look("list");
  const close = async () => {
    await page.keyboard.press("Escape");
    await dialog(page).waitFor({ state: "detached" });
  };
  for (const [i, action] of ["rotate", "leak", "revoke"].entries()) {
    await page.locator("li.token").first().getByRole("button").nth(i).click();
    await dialog(page).waitFor();
    await look(action);
    await close();
  }
  await page.locator(".page-head .button").click();
  await look("create");
  const submit = dialog(page).locator("[type=submit]");
  await submit.click();
  await dialog(page).locator(".fault").waitFor();
  await look("create-errors");
  const expiry = dialog(page).locator("select");
  await expiry.selectOption("never");
  await look("create-never");
  await expiry.selectOption("date");
  await look("create-date");
  await expiry.selectOption("90");
  await dialog(page)
    .locator("input[type=text]")
    .fill(NAMES[4] ?? "");
  await submit.click();
  await secretField(page).waitFor();
  await look("secret");
  await page.keyboard.press("Escape");
  await dialog(page).getByRole("button").nth(1).waitFor();
  await look("leave");
  await dialog(page).getByRole("button").nth(1).click();
  await dialog(page).waitFor({ state: "detached" });
}

for (const [place, options] of Object.entries({
  narrow: NARROW,
  zoomed: ZOOMED,
})) {
  for (const lang of ["en", "en-XA", "ar"]) {
    it(`${place}, in ${lang}: nothing is cut`, () =>
      as(Person.arrive(browser, stack, options), async (person) => {
        for (const name of NAMES) {
          // The last is not on offer.
          const scopes = ["pages:read", "forms:read", "shop:read"];
          await person.create(name, { scopes });
        }
        const page = await person.open(`?lang=${lang}`);
        const root = page.locator("html");
        assert.equal(await root.getAttribute("lang"), lang);
        const direction = lang === "ar" ? "rtl" : "ltr";
        assert.equal(await root.getAttribute("dir"), direction);
        await visit(page, async (state) => {
          assert.deepEqual(await findCut(page), [], state);
          if (place === "narrow") {
            await capture(page, `narrow-${lang}-${state}`);
          }
          if (lang === "en-XA") {
            for (const text of await ownTexts(page)) {
              assert.match(text, /[áçéîĺñöŕŝţûý]/i, `${state}: ${text}`);
            }
          }
        });
      }));
  }
}

it("names are text, whatever is in them", () =>
  as(Person.arrive(browser, stack), async (person) => {
    for (const name of NAMES) {
      await person.create(name, { description: `<b>${name}</b>` });
    }
    const page = await person.open();
    await page
      .locator("li.token")
      .nth(NAMES.length - 1)
      .waitFor();
    const shown = await page.locator("li.token h3").allTextContents();
    assert.deepEqual(shown, NAMES.toReversed());
    for (let i = 0; i < NAMES.length; i += 1) {
      const revoke = page.locator("li.token").nth(i).getByRole("button").nth(2);
      await revoke.click();
      const title = dialog(page).getByRole("heading");
      assert.equal(await title.textContent(), `Revoke ${shown[i] ?? ""}?`);
      await page.keyboard.press("Escape");
      await dialog(page).waitFor({ state: "detached" });
    }
    assert.equal(await page.locator("img, li.token b").count(), 0);
    assert.equal(await page.title(), "API access");
    await capture(page, "names");
  }));

it("in the wide, in Arabic", () =>
  as(Person.arrive(browser, stack), async (person) => {
    await person.fill();
    const page = await person.open("?lang=ar");
    await page.locator("li.token").nth(3).waitFor();
    await capture(page, "list-ar");
    await page.locator(".page-head .button").click();
    await capture(page, "create-ar");
  }));

it("the browser's language is taken, and English for others", async () => {
  for (const [locale, lang] of [
    ["ar-EG", "ar"],
    ["de-DE", "en"],
  ] as const) {
    await as(Person.arrive(browser, stack, { locale }), async (person) => {
      const page = await person.open();
      assert.equal(await page.locator("html").getAttribute("lang"), lang);
    });
  }
});
