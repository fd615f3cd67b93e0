/** What the platform's help page promises, as one person lives it. */
import assert from "node:assert/strict";
import { it } from "node:test";

import { Verdict } from "@wemasy/tokens";

import { useStack } from "../support/stack.js";
import {
  action,
  as,
  BUILT_PAGE,
  button,
  dialog,
  item,
  Person,
  secretField,
  useBrowser,
} from "./support/browser.js";

const stack = useStack({ flags: [`--page=${BUILT_PAGE}`] });
const browser = useBrowser();
const NAME = "Nightly backup";

it("create a token, see it once, find it in the list, revoke it, and it is refused", (test) =>
  as(Person.arrive(browser, stack), async (person) => {
    const page = await person.open();
    let secret = "";

    await test.test("1. open Project settings → API access", async () => {
      const path = page.getByRole("navigation");
      await path.getByText("Project settings").waitFor();
      await page
        .getByRole("heading", { level: 1, name: "API access" })
        .waitFor();
      await page.getByText("No tokens yet").waitFor();
    });

    await test.test("2. begin a new token", async () => {
      await button(page, "Create token").click();
      await dialog(page)
        .getByRole("heading", { name: "Create an API token" })
        .waitFor();
    });

    await test.test("3. give it a name", () =>
      dialog(page).getByLabel("Name").fill(NAME),
    );

    await test.test("4. create it", () =>
      button(dialog(page), "Create token").click(),
    );

    await test.test("5. copy it: it is shown this once", async () => {
      await dialog(page).getByText("It is shown this once").waitFor();
      await dialog(page).getByText("never commit it to a repository").waitFor();
      secret = await person.readSecret(page);
      await person.context.grantPermissions([
        "clipboard-read",
        "clipboard-write",
      ]);
      await button(dialog(page), "Copy").click();
      await dialog(page).getByText("Copied").waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(copied, secret);
      await button(dialog(page), "Done").click();
      await secretField(page).waitFor({ state: "detached" });
    });

    await test.test("6. use it", async () => {
      assert.equal(await stack.verdict(secret), Verdict.VALID);
    });

    await test.test(
      "managing: its name and creation date are in the list",
      async () => {
        await page.reload();
        const token = item(page, NAME);
        await token.getByText("Active").waitFor();
        await token.getByText(`…${secret.slice(-4)}`).waitFor();
        const created = token.locator("time").first();
        const time = Date.parse((await created.getAttribute("datetime")) ?? "");
        assert.ok(Math.abs(Date.now() - time) < 10 * 60_000);
        const written = new Intl.DateTimeFormat("en-GB", {
          dateStyle: "medium",
          timeStyle: "short",
          timeZone: "Europe/Berlin",
        });
        assert.equal(await created.textContent(), written.format(time));
      },
    );

    await test.test("managing: revoke it", async () => {
      await action(page, "Revoke", NAME).click();
      await dialog(page).getByText(NAME).waitFor();
      await dialog(page).getByText("This is final").waitFor();
      await button(dialog(page), "Revoke token").click();
      await dialog(page).getByText("no server accepts it any more").waitFor();
      // The very next call.
      assert.equal(await stack.verdict(secret), Verdict.REVOKED);
      await button(dialog(page), "Close").click();
      await item(page, NAME).getByText("Revoked").first().waitFor();
    });
  }));
