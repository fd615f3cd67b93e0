/**
 * Whatever a person clicks and whatever is lost on the way, one form makes one
 * live token. Mutants that must fail here: a request id drawn for each click;
 * the content read anew for each try.
 */
import assert from "node:assert/strict";
import { it } from "node:test";

import { Verdict } from "@wemasy/tokens";
import type { Page } from "playwright-core";

import type { IssuedToken } from "../../api/index.js";
import { confidences } from "../support/client.js";
import { useStack } from "../support/stack.js";
import {
  action,
  as,
  BUILT_PAGE,
  button,
  copyAndClose,
  dialog,
  item,
  Person,
  secretField,
  useBrowser,
} from "./support/browser.js";

const stack = useStack({ flags: [`--page=${BUILT_PAGE}`] });
const browser = useBrowser();
const arrive = () => Person.arrive(browser, stack);
const NAME = "Nightly backup";

/** Loses the reply to the next POST to a path; returns its secret, later. */
async function loseReply(page: Page, path: string): Promise<string[]> {
  const lost: string[] = [];
  await page.route(
    path,
    async (route) => {
      const reply = await route.fetch();
      const { secret } = (await reply.json()) as IssuedToken;
      confidences.add(secret);
      lost.push(secret);
      await route.abort("connectionreset");
    },
    { times: 1 },
  );
  return lost;
}

async function fillForm(page: Page): Promise<void> {
  await button(page, "Create token").click();
  await dialog(page).getByLabel("Name").fill(NAME);
}

/** Waits for the secret that is shown: it is that of the only live token. */
async function assertOneIsLive(person: Person, page: Page): Promise<void> {
  await secretField(page).waitFor();
  const secret = await person.readSecret(page);
  assert.equal(await person.liveTokens(), 1);
  assert.equal(await stack.verdict(secret), Verdict.VALID);
}

it("a double click makes one token", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await fillForm(page);
    // In one task, so that no state of the page can lie between them.
    await button(dialog(page), "Create token").evaluate((submit) => {
      (submit as HTMLButtonElement).click();
      (submit as HTMLButtonElement).click();
    });
    await assertOneIsLive(person, page);
    await copyAndClose(page);
  }));

it("two requests of a form make one token", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await fillForm(page);
    // As something between the browser and the backend may send it twice.
    await page.route("**/api/tokens", async (route) => {
      const { secret } = (await (await route.fetch()).json()) as IssuedToken;
      confidences.add(secret);
      await route.continue();
    });
    await button(dialog(page), "Create token").click();
    await assertOneIsLive(person, page);
    await copyAndClose(page);
  }));

it("a try after a lost reply makes no second token", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await fillForm(page);
    const lost = await loseReply(page, "**/api/tokens");
    await button(dialog(page), "Create token").click();
    await page.getByText("It is not known whether the token").waitFor();
    assert.equal(await dialog(page).getByLabel("Name").isDisabled(), true);
    assert.equal(await person.liveTokens(), 1);
    const again = await loseReply(page, "**/api/tokens");
    await button(dialog(page), "Try again").click();
    await page.getByText("Creating…").waitFor({ state: "detached" });
    await button(dialog(page), "Try again").click();
    await assertOneIsLive(person, page);
    for (const earlier of [...lost, ...again]) {
      assert.equal(await stack.verdict(earlier), Verdict.REVOKED);
    }
    assert.equal(lost.length + again.length, 2);
    await copyAndClose(page);
    assert.equal(await page.locator("li.token").count(), 1);
  }));

// Caught: the entries stay as they were sent, for ever.
it("what is refused after a lost reply can be corrected", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await button(page, "Create token").click();
    const name = dialog(page).getByLabel("Name");
    await name.fill("Nightly\tbackup");
    await page.route("**/api/tokens", (route) => route.abort(), { times: 1 });
    await button(dialog(page), "Create token").click();
    await page.getByText("It is not known whether the token").waitFor();
    await button(dialog(page), "Try again").click();
    await page.getByText("The name was refused.").waitFor();
    await name.fill(NAME);
    await button(dialog(page), "Try again").click();
    await assertOneIsLive(person, page);
    await copyAndClose(page);
    await item(page, NAME).waitFor();
  }));

it("a form that is given up after a lost reply shows what was made", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await fillForm(page);
    await loseReply(page, "**/api/tokens");
    await button(dialog(page), "Create token").click();
    await page.getByText("It is not known whether the token").waitFor();
    await button(dialog(page), "Cancel").click();
    await item(page, NAME).waitFor();
  }));

it("a rotation after a lost reply leaves one new secret", () =>
  as(arrive(), async (person) => {
    const old = await person.create(NAME);
    const page = await person.open();
    await action(page, "Rotate", NAME).click();
    const lost = await loseReply(page, "**/rotate");
    await button(dialog(page), "Rotate token").click();
    await page.getByText("It is not known whether the token").waitFor();
    await button(dialog(page), "Try again").click();
    await assertOneIsLive(person, page);
    assert.equal(await stack.verdict(lost[0] ?? ""), Verdict.REVOKED);
    // Its grace period runs.
    assert.equal(await stack.verdict(old), Verdict.VALID);
    await copyAndClose(page);
  }));

it("a replacement after lost replies is one, and like the one that leaked", () =>
  as(arrive(), async (person) => {
    const lifetime = 30 * 24 * 3600_000;
    const leaked = await person.create(NAME, {
      description: "Runs at three.",
      scopes: ["pages:read"],
      expireTime: new Date(Date.now() + lifetime),
    });
    const page = await person.open();
    await action(page, "Leaked?", NAME).click();
    // Of both steps, one after the other.
    await page.route(
      "**/revoke",
      async (route) => {
        await route.fetch();
        await route.abort("connectionreset");
      },
      { times: 1 },
    );
    await button(dialog(page), "Revoke and replace").click();
    await page.getByText("It is not known yet whether").waitFor();
    assert.equal(await stack.verdict(leaked), Verdict.REVOKED);
    assert.equal(await person.liveTokens(), 0);
    const lost = await loseReply(page, "**/api/tokens");
    await button(dialog(page), "Try again").click();
    await page.getByText("whether its replacement was created").waitFor();
    await button(dialog(page), "Try again").click();
    await assertOneIsLive(person, page);
    assert.equal(await stack.verdict(lost[0] ?? ""), Verdict.REVOKED);
    await copyAndClose(page);

    const { tokens } = await stack.connection.tokens.listTokens({
      parent: `projects/${person.project}`,
    });
    const [replacement, original] = tokens;
    assert.ok(replacement?.createTime && replacement.expireTime && original);
    assert.equal(replacement.displayName, NAME);
    assert.equal(replacement.description, "Runs at three.");
    assert.deepEqual(replacement.scopes, ["pages:read"]);
    const remaining =
      replacement.expireTime.getTime() - replacement.createTime.getTime();
    assert.ok(Math.abs(remaining - lifetime) < 60_000);
  }));
