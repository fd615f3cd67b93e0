/**
 * Every state of the page, in both themes: axe finds nothing, and its picture
 * is in dist/screenshots. With UPDATE_DOCS_IMAGES=1 some go to docs/images.
 */
import assert from "node:assert/strict";
import { it } from "node:test";

import type { TokenPage } from "../../api/index.js";
import { useStack } from "../support/stack.js";
import {
  action,
  as,
  BUILT_PAGE,
  button,
  copyAndClose,
  dialog,
  hold,
  item,
  Person,
  secretField,
  useBrowser,
} from "./support/browser.js";
import { capture } from "./support/capture.js";

const LIMIT = 5;
const DAY = 24 * 60 * 60 * 1000;
const stack = useStack({
  servers: 2,
  flags: [`--page=${BUILT_PAGE}`],
  serviceFlags: [`max-active-tokens=${LIMIT}`],
});
const browser = useBrowser();
const arrive = (options = {}) => Person.arrive(browser, stack, options);

it("signed out", () =>
  as(arrive({ isSignedIn: false }), async (person) => {
    const page = await person.open();
    await page
      .getByRole("heading", { name: "You are not signed in" })
      .waitFor();
    await capture(page, "signed-out");
  }));

it("unknown project", () =>
  as(arrive({ project: "mine" }), async (person) => {
    const page = await person.open();
    await page.goto(person.url().replace("mine", "another"));
    await page
      .getByRole("heading", { name: "There is no such project" })
      .waitFor();
    await capture(page, "not-found");
  }));

it("empty and loading", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await page.getByText("No tokens yet").waitFor();
    await capture(page, "list-empty");
    const letGo = await hold(page, "**/api/tokens?**");
    await page.reload();
    await page.getByText("Loading the tokens…").waitFor();
    await capture(page, "list-loading");
    letGo();
    await page.getByText("No tokens yet").waitFor();
    await page.getByRole("radio", { name: "Revoked" }).check();
    await page.getByText("No token was revoked.").waitFor();
    await capture(page, "list-empty-filter");
  }));

it("creating a token", () =>
  as(arrive({ project: "bakery" }), async (person) => {
    const page = await person.open();
    await button(page, "Create token").click();
    await capture(page, "create");
    await button(dialog(page), "Create token").click();
    await page.getByText("Enter a name.").waitFor();
    await capture(page, "create-errors");
    await dialog(page).getByLabel("Name").fill("Nightly backup");
    await dialog(page).getByLabel("Description").fill("Owned by operations.");
    await dialog(page).getByLabel("pages:read").check();
    await dialog(page).getByLabel("Expires").selectOption("date");
    await capture(page, "create-date");
    await dialog(page).getByLabel("Expires").selectOption("never");
    await capture(page, "create-never");
    await dialog(page).getByLabel("Expires").selectOption("90");
    await capture(page, "create-filled", { docs: "settings-create" });
    const letGo = await hold(page, "**/api/tokens");
    await button(dialog(page), "Create token").click();
    await page.getByText("Creating…").waitFor();
    await capture(page, "create-busy");
    letGo();
    await secretField(page).waitFor();
    await person.readSecret(page);
    await capture(page, "secret", { docs: "settings-secret" });
    await button(dialog(page), "Done").click();
    await page.getByText("Close without copying?").waitFor();
    await capture(page, "secret-leave");
    await button(dialog(page), "Go back").click();
    // Any permission that is granted refuses all others.
    await person.context.grantPermissions(["geolocation"]);
    await button(dialog(page), "Copy").click();
    await page.getByText("Your browser did not let").waitFor();
    await capture(page, "secret-copy-refused");
    await person.context.grantPermissions(["clipboard-write"]);
    await button(dialog(page), "Copy").click();
    await page.getByText("Copied").waitFor();
    await capture(page, "secret-copied");
  }));

it("a list of tokens of all kinds", () =>
  as(arrive({ project: "bookshop" }), async (person) => {
    await person.fill();
    const page = await person.open();
    await item(page, "Search index").waitFor();
    await capture(page, "list", { docs: "settings-list" });
    // As a hundred days later.
    await page.clock.setFixedTime(Date.now() + 100 * DAY);
    await page.reload();
    await page.getByText("Not used for 100 days.").first().waitFor();
    await capture(page, "list-unused");
  }));

it("revoking, confirming, confirmed", () =>
  as(arrive({ project: "flower-shop" }), async (person) => {
    await person.create("Nightly backup");
    const page = await person.open();
    await action(page, "Revoke", "Nightly backup").click();
    await dialog(page).waitFor();
    await capture(page, "revoke", { docs: "settings-revoke" });
    await dialog(page).getByLabel("Reason").selectOption("compromised");
    await capture(page, "revoke-compromised");
    await dialog(page).getByLabel("Reason").selectOption("unused");
    await stack.service.tell("freeze", 1);
    try {
      await button(dialog(page), "Revoke token").click();
      await page.getByText("Revoking…").waitFor();
      await capture(page, "revoke-busy");
      await page.getByText("is revoked for good").waitFor();
      await capture(page, "revoke-confirming");
      await button(dialog(page), "Close").click();
      await capture(page, "list-confirming");
    } finally {
      await stack.service.tell("thaw", 1);
    }
    await item(page, "Nightly backup").getByText("Confirmed").waitFor();
    await capture(page, "list-confirmed");
  }));

it("revoked at once", () =>
  as(arrive(), async (person) => {
    await person.create("Nightly backup");
    const page = await person.open();
    await action(page, "Revoke", "Nightly backup").click();
    await button(dialog(page), "Revoke token").click();
    await page.getByText("no server accepts it").waitFor();
    await capture(page, "revoke-confirmed");
  }));

it("rotating", () =>
  as(arrive(), async (person) => {
    await person.create("Nightly backup");
    const page = await person.open();
    await action(page, "Rotate", "Nightly backup").click();
    await dialog(page).waitFor();
    await capture(page, "rotate");
    await dialog(page).getByLabel("The current secret").selectOption("0");
    await capture(page, "rotate-at-once");
    await dialog(page).getByLabel("The current secret").selectOption("86400");
    await button(dialog(page), "Rotate token").click();
    await secretField(page).waitFor();
    await person.readSecret(page);
    await capture(page, "rotate-secret");
    await copyAndClose(page);
    await page.getByText("Its previous secret works until").waitFor();
    await capture(page, "list-rotated");
  }));

it("replacing a token that leaked", () =>
  as(arrive(), async (person) => {
    await person.create("Nightly backup");
    const page = await person.open();
    await action(page, "Leaked?", "Nightly backup").click();
    await dialog(page).waitFor();
    await capture(page, "leak");
    await page.route("**/api/tokens", (route) => route.abort());
    await button(dialog(page), "Revoke and replace").click();
    await page.getByText("It is not known whether its replacement").waitFor();
    await capture(page, "leak-failed");
    await page.unroute("**/api/tokens");
    await button(dialog(page), "Try again").click();
    await secretField(page).waitFor();
    await person.readSecret(page);
    await capture(page, "leak-secret");
    await copyAndClose(page);
  }));

it("replacing a token whose scopes are not all on offer", () =>
  as(arrive(), async (person) => {
    await person.create("Nightly backup", {
      scopes: ["pages:read", "shop:read", "shop:write"],
    });
    const page = await person.open();
    await action(page, "Leaked?", "Nightly backup").click();
    await page.getByText("does not get these scopes").waitFor();
    await capture(page, "leak-lost");
  }));

// Caught: it can be rotated, or not even be revoked.
it("a token in a state that the backend does not know", () =>
  as(arrive(), async (person) => {
    await person.create("Nightly backup");
    await person.create("Search index");
    const list = "**/api/tokens?**";
    await person.context.route(list, async (route) => {
      const response = await route.fetch();
      const tokens = (await response.json()) as TokenPage;
      for (const token of tokens.tokens) {
        if (token.displayName === "Nightly backup") token.state = "inactive";
      }
      await route.fulfill({ response, json: tokens });
    });
    const page = await person.open();
    const inactive = item(page, "Nightly backup");
    await inactive.getByText("Not active", { exact: true }).waitFor();
    assert.deepEqual(await inactive.getByRole("button").allInnerTexts(), [
      "Revoke",
    ]);
    const active = item(page, "Search index");
    assert.equal(await active.getByRole("button").count(), 3);
    await capture(page, "list-inactive");
    await action(page, "Revoke", "Nightly backup").click();
    await button(dialog(page), "Revoke token").click();
    await page.getByText("no server accepts it").waitFor();
    await person.context.unroute(list);
  }));

it("the limit", () =>
  as(arrive(), async (person) => {
    for (let i = 1; i <= LIMIT; i += 1) await person.create(`Token ${i}`);
    const page = await person.open();
    await button(page, "Create token").click();
    await dialog(page).getByLabel("Name").fill("One too many");
    await button(dialog(page), "Create token").click();
    await page.getByText("as many active tokens as it may have").waitFor();
    await capture(page, "limit");
  }));

it("a session that ends in the middle", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await button(page, "Create token").click();
    await dialog(page).getByLabel("Name").fill("Nightly backup");
    await person.signOut();
    await button(dialog(page), "Create token").click();
    await page.getByText("Your session has ended.").waitFor();
    await capture(page, "session-ended");
  }));

it("a service that is away", () =>
  as(arrive(), async (person) => {
    const page = await person.open();
    await stack.service.tell("stop", 0);
    try {
      await page.reload();
      await page.getByText("The tokens could not be loaded.").waitFor();
      await capture(page, "list-error");
      await button(page, "Create token").click();
      await dialog(page).getByLabel("Name").fill("Nightly backup");
      await button(dialog(page), "Create token").click();
      await page.getByText("It is not known whether").waitFor();
      await capture(page, "create-uncertain");
    } finally {
      await stack.service.tell("start", 0);
    }
  }));
