/** What goes wrong around the page, at each of its steps. */
import assert from "node:assert/strict";
import { it } from "node:test";

import { Verdict } from "@wemasy/tokens";
import type { Locator, Page, Route } from "playwright-core";

import type { Session } from "../../api/index.js";
import { useStack } from "../support/stack.js";
import {
  action,
  as,
  BUILT_PAGE,
  button,
  copyAndClose,
  createToken,
  dialog,
  item,
  Person,
  secretField,
  useBrowser,
} from "./support/browser.js";

const LIMIT = 30;
const stack = useStack({
  servers: 2,
  flags: [`--page=${BUILT_PAGE}`],
  serviceFlags: [`max-active-tokens=${LIMIT}`],
});
const browser = useBrowser();
const arrive = (options = {}) => Person.arrive(browser, stack, options);
const NAME = "Nightly backup";
/** A page of the list has 20. */
const MORE_THAN_A_PAGE = 21;

/** Does something while the server that the backend asks is away. */
async function whileAway(act: () => Promise<void>): Promise<void> {
  await stack.service.tell("stop", 0);
  try {
    await act();
  } finally {
    await stack.service.tell("start", 0);
    // The old one may wait for seconds before it tries to connect again.
    stack.connection.close();
    stack.connection = stack.service.connect();
  }
}

async function tryAgain(page: Page): Promise<void> {
  await button(page, "Try again").click();
}

/** Tries again until it works: the backend may not know yet that the service
 * is back. */
async function keepTrying(page: Page, wanted: Locator): Promise<void> {
  const again = button(page, "Try again");
  for (;;) {
    await wanted.or(again).first().waitFor();
    if (await wanted.isVisible()) return;
    await again.click();
    // As a person does, not as fast as a machine can.
    await page.waitForTimeout(500);
  }
}

it("the session ends while a form is filled in: nothing of it is lost", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await button(page, "Create token").click();
    await dialog(page).getByLabel("Name").fill(NAME);
    await dialog(page).getByLabel("Description").fill("Runs at three.");
    await dialog(page).getByLabel("pages:write").check();
    await person.signOut();
    await button(dialog(page), "Create token").click();
    await page.getByText("Your session has ended.").waitFor();
    const link = dialog(page).getByRole("link", { name: /^Sign in again/ });
    assert.equal(await link.getAttribute("target"), "_blank");
    // Nothing was made, so that all of it may still be changed.
    assert.equal(await dialog(page).getByLabel("Name").inputValue(), NAME);
    assert.equal(await dialog(page).getByLabel("Name").isEnabled(), true);

    await person.signIn();
    await tryAgain(page);
    await secretField(page).waitFor();
    await person.readSecret(page);
    await copyAndClose(page);
    await item(page, NAME).getByText("Runs at three.").waitFor();
    await item(page, NAME).getByText("pages:write").waitFor();
    assert.equal(await person.liveTokens(), 1);
  }));

it("the session ends before a revocation, a rotation, and the next page", () =>
  as(arrive(), async (person) => {
    for (let i = 1; i <= MORE_THAN_A_PAGE; i += 1) {
      await person.create(`Token ${i}`);
    }
    const page = await person.open();
    const name = `Token ${MORE_THAN_A_PAGE}`;

    await person.signOut();
    await button(page, "Load more").click();
    await page.getByText("Your session has ended.").waitFor();
    await person.signIn();
    await tryAgain(page);
    await item(page, "Token 1").waitFor();

    await action(page, "Rotate", name).click();
    await person.signOut();
    await button(dialog(page), "Rotate token").click();
    await dialog(page).getByText("Your session has ended.").waitFor();
    await person.signIn();
    await tryAgain(page);
    await secretField(page).waitFor();
    await person.readSecret(page);
    await copyAndClose(page);

    await action(page, "Revoke", name).click();
    await person.signOut();
    await button(dialog(page), "Revoke token").click();
    await dialog(page).getByText("The token was not revoked.").waitFor();
    await person.signIn();
    await tryAgain(page);
    await page.getByText("no server accepts it").waitFor();
    assert.equal(await person.liveTokens(), MORE_THAN_A_PAGE - 1);
  }));

it("signing in anew in another tab changes nothing here", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await button(page, "Create token").click();
    await dialog(page).getByLabel("Name").fill(NAME);
    // Another session, and with it another CSRF token.
    await person.signIn();
    await button(dialog(page), "Create token").click();
    await secretField(page).waitFor();
    await person.readSecret(page);
    await copyAndClose(page);
  }));

// Caught: a change in the name of somebody whom the page does not show.
it("somebody else who signs in in another tab changes nothing from here", () =>
  as(arrive(), async (person) => {
    const secret = await person.create(NAME);
    const page = await person.open();
    await page.getByText("Signed in as maria").waitFor();
    await person.signIn({ user: "omar" });
    await action(page, "Revoke", NAME).click();
    await button(dialog(page), "Revoke token").click();
    await dialog(page).getByText("Somebody else has signed in").waitFor();
    await dialog(page).getByText("The token was not revoked.").waitFor();
    // Nor at another try.
    await tryAgain(page);
    await dialog(page).getByText("Somebody else has signed in").waitFor();
    assert.equal(await stack.verdict(secret), Verdict.VALID);

    await page.reload();
    await page.getByText("Signed in as omar").waitFor();
    await action(page, "Revoke", NAME).click();
    await button(dialog(page), "Revoke token").click();
    await page.getByText("no server accepts it").waitFor();
    const { tokens } = await stack.connection.tokens.listTokens({
      parent: `projects/${person.project}`,
    });
    assert.deepEqual(
      tokens.map(({ revoker }) => revoker),
      ["omar"],
    );
  }));

it("the session ends: a reload shows how to sign in", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await person.signOut();
    await page.reload();
    await page
      .getByRole("heading", { name: "You are not signed in" })
      .waitFor();
    await person.signIn();
    await page.getByRole("link", { name: "Sign in" }).click();
    await page.getByText("No tokens yet").waitFor();
  }));

it("another project's page is not there", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await page.goto(person.url().replace(person.project, "another"));
    await page
      .getByRole("heading", { name: "There is no such project" })
      .waitFor();
    assert.equal(await button(page, "Create token").count(), 0);
  }));

it("the service is away: the list offers a retry, and is never just empty", () =>
  as(arrive(), async (person) => {
    await person.create(NAME);
    const page = await person.open();
    await whileAway(async () => {
      await page.reload();
      await page.getByText("The tokens could not be loaded.").waitFor();
      assert.equal(await page.getByText("No tokens yet").count(), 0);
      await tryAgain(page);
      await page.getByText("The tokens could not be loaded.").waitFor();
    });
    await keepTrying(page, item(page, NAME));
  }));

it("the service is away for the next page: what is shown stays", () =>
  as(arrive(), async (person) => {
    for (let i = 1; i <= MORE_THAN_A_PAGE; i += 1) {
      await person.create(`Token ${i}`);
    }
    const page = await person.open();
    await item(page, "Token 2").waitFor();
    await whileAway(async () => {
      await button(page, "Load more").click();
      await page.getByText("The next tokens could not be loaded.").waitFor();
      assert.equal(await page.locator("li.token").count(), 20);
    });
    await keepTrying(page, item(page, "Token 1"));
  }));

it("the service is away for each change: a retry makes it once", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await button(page, "Create token").click();
    await dialog(page).getByLabel("Name").fill(NAME);
    await whileAway(async () => {
      await button(dialog(page), "Create token").click();
      await page.getByText("It is not known whether").waitFor();
    });
    await keepTrying(page, secretField(page));
    await person.readSecret(page);
    await copyAndClose(page);
    assert.equal(await person.liveTokens(), 1);

    await action(page, "Rotate", NAME).click();
    await whileAway(async () => {
      await button(dialog(page), "Rotate token").click();
      await page.getByText("It is not known whether").waitFor();
    });
    await keepTrying(page, secretField(page));
    const rotated = await person.readSecret(page);
    await copyAndClose(page);

    await action(page, "Leaked?", NAME).click();
    await whileAway(async () => {
      await button(dialog(page), "Revoke and replace").click();
      await page.getByText("It is not known yet whether").waitFor();
    });
    await keepTrying(page, secretField(page));
    const replaced = await person.readSecret(page);
    assert.equal(await stack.verdict(rotated), Verdict.REVOKED);
    await copyAndClose(page);

    await action(page, "Revoke", NAME).click();
    await whileAway(async () => {
      await button(dialog(page), "Revoke token").click();
      await page.getByText("It is not known yet whether").waitFor();
    });
    await keepTrying(page, page.getByText("no server accepts it"));
    assert.equal(await stack.verdict(replaced), Verdict.REVOKED);
    assert.equal(await person.liveTokens(), 0);
  }));

it("the service stands still amidst a creation: a retry makes one token", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await button(page, "Create token").click();
    await dialog(page).getByLabel("Name").fill(NAME);
    await stack.service.tell("freeze", 0);
    try {
      await button(dialog(page), "Create token").click();
      await page.getByText("It is not known whether").waitFor();
    } finally {
      await stack.service.tell("thaw", 0);
    }
    await tryAgain(page);
    await secretField(page).waitFor();
    const secret = await person.readSecret(page);
    assert.equal(await stack.verdict(secret), Verdict.VALID);
    assert.equal(await person.liveTokens(), 1);
    await copyAndClose(page);
  }));

// Caught: the answer, from before the change, takes the place of it.
it("what is made while the list loads is in it", () =>
  as(arrive(), async (person) => {
    await person.create("Search index");
    const page = await person.open();
    await item(page, "Search index").waitFor();
    let isMade: () => void = () => undefined;
    const made = new Promise<void>((resolve) => (isMade = resolve));
    await new Promise<void>((isAnswered, reject) => {
      const answerLate = async (route: Route) => {
        const response = await route.fetch();
        isAnswered();
        await made;
        await route.fulfill({ response });
      };
      page
        .route("**/api/tokens?**", answerLate, { times: 1 })
        .then(() => page.getByRole("radio", { name: "Active" }).check())
        .catch(reject);
    });
    await createToken(page, NAME);
    await person.readSecret(page);
    await copyAndClose(page);
    isMade();
    await item(page, "Search index").waitFor();
    await item(page, NAME).waitFor();
  }));

// Caught: a replacement that is refused for ever once the token is revoked.
it("a scope that is not on offer any more does not stop a replacement", () =>
  as(arrive(), async (person) => {
    const leaked = await person.create(NAME, {
      scopes: ["pages:read", "shop:read"],
    });
    // It was when the page was opened.
    await person.context.route(
      "**/api/session",
      async (route) => {
        const response = await route.fetch();
        const session = (await response.json()) as Session;
        session.scopes.push("shop:read");
        await route.fulfill({ response, json: session });
      },
      { times: 1 },
    );
    const page = await person.open();
    await action(page, "Leaked?", NAME).click();
    await dialog(page).getByText("does not get these scopes").waitFor();
    await dialog(page).getByText("shop:read", { exact: true }).waitFor();
    await button(dialog(page), "Revoke and replace").click();
    await secretField(page).waitFor();
    await person.readSecret(page);
    await copyAndClose(page);
    assert.equal(await stack.verdict(leaked), Verdict.REVOKED);
    const { tokens } = await stack.connection.tokens.listTokens({
      parent: `projects/${person.project}`,
      filter: "state = ACTIVE",
    });
    assert.deepEqual(
      tokens.map(({ scopes }) => scopes),
      [["pages:read"]],
    );
  }));

it("the limit is said, and one that is revoked makes room", () =>
  as(arrive(), async (person) => {
    for (let i = 1; i <= LIMIT; i += 1) await person.create(`Token ${i}`);
    const page = await person.open();
    await button(page, "Create token").click();
    await dialog(page).getByLabel("Name").fill(NAME);
    await button(dialog(page), "Create token").click();
    await page.getByText("as many active tokens as it may have").waitFor();
    assert.equal(await person.liveTokens(), LIMIT);
    await button(dialog(page), "Cancel").click();

    // A replacement needs no room of its own.
    await action(page, "Leaked?", `Token ${LIMIT}`).click();
    await button(dialog(page), "Revoke and replace").click();
    await secretField(page).waitFor();
    await person.readSecret(page);
    await copyAndClose(page);
    assert.equal(await person.liveTokens(), LIMIT);
  }));

it("two tabs revoke one token, and both end well", () =>
  as(arrive(), async (person) => {
    const secret = await person.create(NAME);
    const pages = [await person.open(), await person.open()];
    for (const page of pages) {
      await action(page, "Revoke", NAME).click();
      await dialog(page).waitFor();
    }
    for (const page of pages) {
      await button(dialog(page), "Revoke token").click();
      await page.getByText("no server accepts it").waitFor();
      assert.equal(await stack.verdict(secret), Verdict.REVOKED);
    }
  }));

it("what another tab revoked cannot be rotated, and it is said why", () =>
  as(arrive(), async (person) => {
    await person.create(NAME);
    const [one, other] = [await person.open(), await person.open()];
    await action(one, "Rotate", NAME).click();
    await action(other, "Revoke", NAME).click();
    await button(dialog(other), "Revoke token").click();
    await other.getByText("no server accepts it").waitFor();
    await button(dialog(one), "Rotate token").click();
    await one.getByText("was revoked or has expired meanwhile").waitFor();
  }));

it("a slow revocation is never a failure, and is followed to its end", () =>
  as(arrive(), async (person) => {
    const secret = await person.create(NAME);
    const page = await person.open();
    await action(page, "Revoke", NAME).click();
    await stack.service.tell("freeze", 1);
    try {
      await button(dialog(page), "Revoke token").click();
      await page.getByText("is revoked for good").waitFor();
      assert.equal(await page.getByRole("alert").count(), 0);
      assert.equal(await stack.verdict(secret), Verdict.REVOKED);
      await item(page, NAME).getByText("Revoked, still confirming").waitFor();
    } finally {
      await stack.service.tell("thaw", 1);
    }
    await dialog(page).getByText("no server accepts it").waitFor();
    await button(dialog(page), "Close").click();
    const heading = page.getByRole("heading", { name: "Tokens" });
    await heading.waitFor();
    assert.equal(
      await heading.evaluate((element) => element === document.activeElement),
      true,
    );
  }));

it("a slow revocation does not hold up the replacement", () =>
  as(arrive(), async (person) => {
    const secret = await person.create(NAME);
    const page = await person.open();
    await action(page, "Leaked?", NAME).click();
    await stack.service.tell("freeze", 1);
    try {
      await button(dialog(page), "Revoke and replace").click();
      await dialog(page).getByText("Revoked, still confirming").waitFor();
      assert.equal(await stack.verdict(secret), Verdict.REVOKED);
    } finally {
      await stack.service.tell("thaw", 1);
    }
    // A creation waits for all servers too.
    await keepTrying(page, secretField(page));
    await person.readSecret(page);
    await copyAndClose(page);
    assert.equal(await person.liveTokens(), 1);
  }));
