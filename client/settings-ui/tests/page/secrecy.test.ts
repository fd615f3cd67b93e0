/**
 * A secret is in one reply and in one field, and then nowhere. Mutants that
 * must fail here: the field keeps its value; the secret is an attribute; it is
 * not wiped when the page is hidden.
 */
import assert from "node:assert/strict";
import { it } from "node:test";

import type { CDPSession, Page } from "playwright-core";

import { useStack } from "../support/stack.js";
import {
  as,
  BUILT_PAGE,
  button,
  copyAndClose,
  createToken,
  dialog,
  Person,
  SECRET,
  secretField,
  useBrowser,
} from "./support/browser.js";

const stack = useStack({ flags: [`--page=${BUILT_PAGE}`] });
// Playwright turns the back-forward cache off.
const browser = useBrowser({
  ignoreDefaultArgs: ["--disable-back-forward-cache"],
});
const arrive = () => Person.arrive(browser, stack);
const NAME = "Nightly backup";

/** Everything of a page that scripts and people can read. */
async function readable(page: Page): Promise<string> {
  const inside = await page.evaluate(async () => {
    const fields = document.querySelectorAll<HTMLInputElement>(
      "input, textarea, select",
    );
    const caches = await window.caches.keys();
    const databases = await window.indexedDB.databases();
    return [
      document.documentElement.outerHTML,
      document.title,
      location.href,
      document.cookie,
      JSON.stringify(history.state),
      JSON.stringify(Object.entries(localStorage)),
      JSON.stringify(Object.entries(sessionStorage)),
      JSON.stringify([caches, databases, window.name]),
      ...Array.from(fields, ({ value }) => value),
      ...performance.getEntries().map(({ name }) => name),
    ].join("\n");
  });
  const { cookies, origins } = await page.context().storageState();
  return [inside, JSON.stringify(cookies), JSON.stringify(origins)].join("\n");
}

/** All strings that the page's scripts can still reach, and more. */
async function heap(page: Page): Promise<string> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const chunks: string[] = [];
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => {
    chunks.push(chunk);
  });
  await session.send("HeapProfiler.enable");
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.takeHeapSnapshot", {});
  await session.detach();
  return chunks.join("");
}

it("a secret is in its field while it is shown, and nowhere afterwards", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await createToken(page, NAME);
    const secret = await person.readSecret(page);
    const shown = await readable(page);
    // In the field's value, and in nothing else.
    assert.equal(shown.split(secret).length - 1, 1);
    assert.ok(!(await page.content()).includes(secret));
    assert.ok((await heap(page)).includes(secret), "the test finds nothing");

    await copyAndClose(page);
    assert.doesNotMatch(await readable(page), SECRET);
    assert.ok(!(await heap(page)).includes(secret));

    // Nothing that the page does later asks for it again.
    await page.reload();
    await page.locator("li.token").waitFor();
    assert.doesNotMatch(await readable(page), SECRET);
    assert.deepEqual(await person.repliesWithSecrets(), [
      `${person.url()}/api/tokens`,
    ]);
  }));

it("leaving is asked about as long as it was not copied", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    const questions: string[] = [];
    page.on("dialog", (question) => {
      questions.push(question.type());
      void question.accept();
    });
    await createToken(page, NAME);
    await person.readSecret(page);
    await page.reload();
    assert.deepEqual(questions, ["beforeunload"]);
    await page.locator("li.token").waitFor();
    assert.doesNotMatch(await readable(page), SECRET);

    await createToken(page, "Another");
    await person.readSecret(page);
    await button(dialog(page), "Copy").click();
    await page.getByText("Copied").waitFor();
    await page.reload();
    await page.locator("li.token").first().waitFor();
    assert.deepEqual(questions, ["beforeunload"]);
  }));

it("closing is asked about as long as it was not copied", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await createToken(page, NAME);
    const secret = await person.readSecret(page);
    await button(dialog(page), "Done").click();
    await button(dialog(page), "Go back").click();
    assert.equal(await secretField(page).inputValue(), secret);
    await button(dialog(page), "Done").click();
    await button(dialog(page), "Close anyway").click();
    await dialog(page).waitFor({ state: "detached" });
    assert.doesNotMatch(await readable(page), SECRET);
  }));

it("copying by hand is copying", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await person.context.grantPermissions(["geolocation"]);
    await createToken(page, NAME);
    await person.readSecret(page);
    await button(dialog(page), "Copy").click();
    await page.getByText("Your browser did not let the page copy").waitFor();
    const selected = await page.evaluate(() => getSelection()?.toString());
    assert.equal(selected, person.secrets[0]);
    await page.keyboard.press("Control+C");
    await page.getByText("Copied").waitFor();
    await button(dialog(page), "Done").click();
    await dialog(page).waitFor({ state: "detached" });
  }));

// Caught: whatever is copied out of the field is taken for the secret.
it("copying a part is not copying", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await createToken(page, NAME);
    const secret = await person.readSecret(page);
    const copied = page.getByText("Copied");
    for (const [start, end] of [
      [0, secret.length - 1],
      [1, secret.length],
    ] as const) {
      await secretField(page).evaluate(
        (field: HTMLTextAreaElement, [from, to]) => {
          field.focus();
          field.setSelectionRange(from, to);
        },
        [start, end] as const,
      );
      await page.keyboard.press("Control+C");
      await button(dialog(page), "Done").click();
      await button(dialog(page), "Go back").click();
      assert.equal(await copied.count(), 0);
    }
    await secretField(page).focus();
    await page.keyboard.press("Control+A");
    await page.keyboard.press("Control+C");
    await copied.waitFor();
    await button(dialog(page), "Done").click();
    await dialog(page).waitFor({ state: "detached" });
  }));

it("back and forward show nothing", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    page.on("dialog", (question) => void question.accept());
    await createToken(page, NAME);
    await person.readSecret(page);
    await page.goto(person.url("?lang=ar"));
    await page.locator("li.token").waitFor();
    assert.doesNotMatch(await readable(page), SECRET);
    await page.goBack();
    await page.locator("li.token").waitFor();
    assert.equal(await page.locator("dialog").count(), 0);
    assert.doesNotMatch(await readable(page), SECRET);
  }));

it("a page that is kept by the browser keeps no secret, and looks again", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await createToken(page, NAME);
    await person.readSecret(page);
    // As when it goes into the back-forward cache: its memory stays.
    const values = await page.evaluate(() => {
      const field = document.querySelector("dialog textarea");
      const event = (type: string) =>
        new PageTransitionEvent(type, { persisted: true });
      window.dispatchEvent(event("pagehide"));
      return (field as HTMLTextAreaElement).value;
    });
    assert.equal(values, "");
    await dialog(page).waitFor({ state: "detached" });
    assert.doesNotMatch(await readable(page), SECRET);
    await person.create("Made elsewhere");
    await page.evaluate(() => {
      const event = new PageTransitionEvent("pageshow", { persisted: true });
      window.dispatchEvent(event);
    });
    await page.getByText("Made elsewhere").waitFor();
  }));
