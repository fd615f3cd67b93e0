/**
 * Everything is done by keyboard alone, by the rules of the APG for dialogs.
 * Mutants that must fail here: the focus is not on Cancel; it does not come
 * back; Escape closes a secret that was not copied.
 */
import assert from "node:assert/strict";
import { it } from "node:test";

import type { Locator, Page } from "playwright-core";

import { useStack } from "../support/stack.js";
import {
  action,
  as,
  BUILT_PAGE,
  button,
  dialog,
  hold,
  item,
  Person,
  secretField,
  useBrowser,
} from "./support/browser.js";

const stack = useStack({ flags: [`--page=${BUILT_PAGE}`] });
const browser = useBrowser();
const arrive = () => Person.arrive(browser, stack);
const NAME = "Nightly backup";
/** More than the page has stops. */
const MAX_TABS = 100;

/** Waits, as the focus may move a moment after what caused it. */
async function assertFocus(target: Locator): Promise<void> {
  await target.waitFor();
  const element = await target.elementHandle();
  await target
    .page()
    .waitForFunction((wanted) => document.activeElement === wanted, element);
}

async function isFocused(target: Locator): Promise<boolean> {
  return target.evaluate((element) => element === document.activeElement);
}

/** What describes the element that has the focus. */
async function description(page: Page): Promise<string> {
  return page.evaluate(() => {
    const ids = document.activeElement?.getAttribute("aria-describedby") ?? "";
    return ids
      .split(" ")
      .map((id) => document.getElementById(id)?.textContent)
      .join(" ");
  });
}

async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let tabs = 0; tabs < MAX_TABS; tabs += 1) {
    if (await isFocused(target)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not come to ${String(target)}`);
}

/** Tab stays in the dialog, in both directions. */
async function assertTabStays(page: Page): Promise<void> {
  for (const key of ["Tab", "Shift+Tab"]) {
    for (let tabs = 0; tabs < 20; tabs += 1) {
      await page.keyboard.press(key);
      const where = await page.evaluate(() => {
        const { activeElement } = document;
        if (activeElement === document.body) return "the browser's own";
        return activeElement?.closest("dialog") ? "inside" : "outside";
      });
      assert.notEqual(where, "outside");
    }
  }
}

it("a token's whole life, without a mouse", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    const { keyboard } = page;
    const create = button(page, "Create token");

    // Escape closes a form, and the focus comes back.
    await tabTo(page, create);
    await keyboard.press("Enter");
    await assertFocus(dialog(page).getByLabel("Name"));
    await assertTabStays(page);
    await keyboard.press("Escape");
    await assertFocus(create);

    await keyboard.press("Space");
    await assertFocus(dialog(page).getByLabel("Name"));
    // A mistake: the focus goes to it.
    await keyboard.press("Enter");
    await page.getByText("Enter a name.").waitFor();
    await assertFocus(dialog(page).getByLabel("Name"));
    assert.match(await description(page), /^Enter a name\./);
    await keyboard.type(NAME);
    await tabTo(page, dialog(page).getByLabel("Expires"));
    await keyboard.press("ArrowUp");
    await page.getByText("It stops working on").waitFor();
    assert.equal(await dialog(page).getByLabel("Expires").inputValue(), "30");
    await tabTo(page, dialog(page).getByLabel("pages:read"));
    await keyboard.press("Space");
    await tabTo(page, button(dialog(page), "Create token"));
    await keyboard.press("Enter");

    // Escape asks, twice too, as the secret was not copied.
    await assertFocus(button(dialog(page), "Copy"));
    await person.readSecret(page);
    await assertTabStays(page);
    await keyboard.press("Escape");
    await assertFocus(button(dialog(page), "Go back"));
    await keyboard.press("Escape");
    await keyboard.press("Escape");
    await assertFocus(button(dialog(page), "Go back"));
    await keyboard.press("Enter");
    await tabTo(page, button(dialog(page), "Copy"));
    await keyboard.press("Enter");
    await page.getByText("Copied").waitFor();
    await keyboard.press("Escape");
    await secretField(page).waitFor({ state: "detached" });
    await assertFocus(create);

    // The list can be filtered.
    await tabTo(page, page.getByRole("radio", { name: "All" }));
    await Promise.all([
      // Until then the item is that of the list as it was.
      page.waitForResponse((reply) => reply.url().endsWith("?state=active")),
      keyboard.press("ArrowRight"),
    ]);
    await item(page, NAME).waitFor();

    const rotate = action(page, "Rotate", NAME);
    await tabTo(page, rotate);
    await keyboard.press("Enter");
    await assertFocus(button(dialog(page), "Cancel"));
    await assertTabStays(page);
    await keyboard.press("Escape");
    await assertFocus(rotate);
    await keyboard.press("Enter");
    await tabTo(page, button(dialog(page), "Rotate token"));
    await keyboard.press("Enter");
    await assertFocus(button(dialog(page), "Copy"));
    await person.readSecret(page);
    await keyboard.press("Enter");
    await page.getByText("Copied").waitFor();
    await tabTo(page, button(dialog(page), "Done"));
    await keyboard.press("Enter");
    await assertFocus(rotate);

    const revoke = action(page, "Revoke", NAME);
    await tabTo(page, revoke);
    await keyboard.press("Enter");
    // So that Enter once too often revokes nothing.
    await assertFocus(button(dialog(page), "Cancel"));
    await assertTabStays(page);
    await keyboard.press("Escape");
    await assertFocus(revoke);
    await keyboard.press("Enter");
    await assertFocus(button(dialog(page), "Cancel"));
    await keyboard.press("Enter");
    await assertFocus(revoke);
    assert.equal(await person.liveTokens(), 1);
    await keyboard.press("Enter");
    await tabTo(page, button(dialog(page), "Revoke token"));
    await keyboard.press("Enter");
    await page.getByText("no server accepts it").waitFor();
    await assertFocus(button(dialog(page), "Close"));
    await keyboard.press("Enter");
    await assertFocus(page.getByRole("heading", { name: "Tokens" }));
    assert.equal(await person.liveTokens(), 0);
  }));

it("a leaked token is replaced without a mouse", () =>
  as(arrive(), async (person) => {
    await person.create(NAME);
    const page = await person.open();
    const { keyboard } = page;
    await tabTo(page, action(page, "Leaked?", NAME));
    await keyboard.press("Enter");
    await assertFocus(button(dialog(page), "Cancel"));
    await assertTabStays(page);
    await tabTo(page, button(dialog(page), "Revoke and replace"));
    await keyboard.press("Enter");
    await assertFocus(button(dialog(page), "Copy"));
    await person.readSecret(page);
    await keyboard.press("Enter");
    await page.getByText("Copied").waitFor();
    await keyboard.press("Escape");
    await assertFocus(page.getByRole("heading", { name: "Tokens" }));
    assert.equal(await person.liveTokens(), 1);
  }));

it("a running change cannot be closed", () =>
  as(arrive(), async (person) => {
    await person.create(NAME);
    const page = await person.open();
    const letGo = await hold(page, "**/revoke");
    await action(page, "Revoke", NAME).click();
    await button(dialog(page), "Revoke token").click();
    await page.getByText("Revoking…").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await button(dialog(page), "Cancel").click({ force: true });
    assert.equal(await dialog(page).isVisible(), true);
    letGo();
    await page.getByText("no server accepts it").waitFor();
  }));

it("what the keyboard is at can be seen", () =>
  as(arrive(), async (person) => {
    await person.create(NAME);
    const page = await person.open();
    // The list comes later, and with it most of what there is to get to.
    await item(page, NAME).waitFor();
    await tabTo(page, button(page, "Create token"));
    for (let tabs = 0; tabs < 5; tabs += 1) {
      const outline = await page.evaluate(() => {
        const { activeElement } = document;
        // A filter's own circle is hidden; its text has the outline.
        const shown = activeElement?.matches("[type=radio]")
          ? activeElement.nextElementSibling
          : activeElement;
        const style = shown && getComputedStyle(shown);
        return [style?.outlineStyle, style?.outlineWidth].join(" ");
      });
      assert.equal(outline, "solid 2px");
      await page.keyboard.press("Tab");
    }
  }));

it("after the last page of the list, the focus is at the first new token", () =>
  as(arrive(), async (person) => {
    for (let i = 1; i <= 21; i += 1) await person.create(`Token ${i}`);
    const page = await person.open();
    await tabTo(page, button(page, "Load more"));
    await page.keyboard.press("Enter");
    await assertFocus(
      page.getByRole("heading", { name: "Token 1", exact: true }),
    );
    assert.equal(await page.locator("li.token").count(), 21);
    assert.equal(await button(page, "Load more").count(), 0);
  }));
