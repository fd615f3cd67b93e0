/** A real browser, and people at it. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import { after, before } from "node:test";

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
  type Locator,
  type Page,
} from "playwright-core";

import { confidences } from "../../support/client.js";
import type { Stack } from "../../support/stack.js";

/** Debian's; Playwright's own would be a download from elsewhere. */
const CHROMIUM = "/usr/bin/chromium";

/** What Vite built. */
export const BUILT_PAGE = path.resolve(import.meta.dirname, "../../../page");

/** Of a secret, wherever it is. */
export const SECRET = /wmsy_[0-9A-Za-z]{36}/;

const DAY = 24 * 60 * 60 * 1000;

// A machine that is busy, or a process that was stopped, may take long.
const PATIENCE = 60_000;

export interface Running {
  browser: Browser;
}

/** Starts a browser before the tests of a file, and ends it after them. */
export function useBrowser(options: LaunchOptions = {}): Running {
  const running = {} as Running;
  before(async () => {
    assert.ok(
      existsSync(CHROMIUM),
      `${CHROMIUM} is not there: apt-get install chromium`,
    );
    assert.ok(
      existsSync(path.join(BUILT_PAGE, "index.html")),
      `${BUILT_PAGE} has no page: run client/settings-ui/build`,
    );
    running.browser = await chromium.launch({
      executablePath: CHROMIUM,
      ...options,
    });
  });
  after(() => running.browser.close());
  return running;
}

interface Arrival extends BrowserContextOptions {
  project?: string;
  isSignedIn?: boolean;
}

/** Somebody at a browser, with a project of their own. */
export class Person {
  readonly project: string;
  readonly user = "maria";
  readonly context: BrowserContext;
  /** Secrets that the person has seen. */
  readonly secrets: string[] = [];
  readonly #secretReplies: string[] = [];
  readonly #console: string[] = [];
  readonly #stack: Stack;
  readonly #foreign: string[] = [];
  readonly #errors: string[] = [];
  readonly #reading: Promise<void>[] = [];

  private constructor(stack: Stack, context: BrowserContext, project: string) {
    this.#stack = stack;
    this.context = context;
    this.project = project;
    context.setDefaultTimeout(PATIENCE);
    context.on("console", (message) => this.#console.push(message.text()));
    context.on("weberror", (error) =>
      this.#errors.push(error.error().stack ?? String(error.error())),
    );
    context.on("request", (request) => {
      if (new URL(request.url()).origin !== stack.backend.origin) {
        this.#foreign.push(request.url());
      }
    });
    context.on("response", (response) => {
      const read = async () => {
        const body = await response.text().catch(() => "");
        if (SECRET.test(body)) this.#secretReplies.push(response.url());
      };
      this.#reading.push(read());
    });
  }

  static async arrive(
    { browser }: Running,
    stack: Stack,
    { project, isSignedIn = true, ...options }: Arrival = {},
  ): Promise<Person> {
    const context = await browser.newContext({
      locale: "en-GB",
      timezoneId: "Europe/Berlin",
      viewport: { width: 1120, height: 800 },
      reducedMotion: "reduce",
      ...options,
    });
    const own = project ?? `p-${randomUUID().slice(0, 8)}`;
    const person = new Person(stack, context, own);
    if (isSignedIn) await person.signIn();
    return person;
  }

  /** Also again, after a session has ended, and as somebody else. */
  async signIn({ user = this.user } = {}): Promise<void> {
    const { project } = this;
    const session = await this.#stack.issuer.session({ user, project });
    confidences.add(session);
    await this.context.addCookies([
      {
        name: "wemasy_session",
        value: session,
        url: this.#stack.backend.origin,
        httpOnly: true,
        sameSite: "Strict",
      },
    ]);
  }

  /** As when it expires in the middle. */
  async signOut(): Promise<void> {
    await this.context.clearCookies();
  }

  url(query = ""): string {
    const { origin } = this.#stack.backend;
    return `${origin}/projects/${this.project}/api-access${query}`;
  }

  /** Has a token made past the page; returns its secret. */
  async create(displayName: string, fields: object = {}): Promise<string> {
    const { secret } = await this.#stack.connection.tokens.createToken({
      parent: `projects/${this.project}`,
      actor: this.user,
      token: { displayName, ...fields },
    });
    confidences.add(secret);
    return secret;
  }

  /** Has a few tokens made that look like those of a real project. */
  async fill(): Promise<void> {
    const { tokens } = this.#stack.connection;
    const soon = new Date(Date.now() + 90 * DAY);
    await this.create("Old deployment", { scopes: ["pages:write"] });
    const { tokens: made } = await tokens.listTokens({
      parent: `projects/${this.project}`,
    });
    const name = made[0]?.name ?? assert.fail();
    await tokens.revokeToken({ name, actor: this.user });
    await this.create("Nightly backup", {
      description: "Runs at three. Its secret is in the vault of operations.",
      scopes: ["pages:read", "forms:read"],
      expireTime: soon,
    });
    await this.create("Newsletter forms", {
      scopes: ["forms:read", "forms:write"],
      expireTime: new Date(Date.now() + 30 * DAY),
    });
    await this.create("Search index", { scopes: ["pages:read"] });
  }

  /** Opens the page, and returns when its list, or what is in its place, is
   * there. */
  async open(query = ""): Promise<Page> {
    const page = await this.context.newPage();
    await page.goto(this.url(query));
    await page
      .locator("ul.tokens, .list-state:has(p), .notice, .blocked")
      .first()
      .waitFor();
    return page;
  }

  /** Reads the secret that is shown. */
  async readSecret(page: Page): Promise<string> {
    const secret = await secretField(page).inputValue();
    assert.match(secret, SECRET);
    confidences.add(secret);
    this.secrets.push(secret);
    return secret;
  }

  /** How many tokens of the project may be used, by the database. */
  async liveTokens(): Promise<number> {
    const { tokens } = await this.#stack.connection.tokens.listTokens({
      parent: `projects/${this.project}`,
      filter: "state = ACTIVE",
    });
    return tokens.length;
  }

  /** The addresses whose replies had a secret in them so far. */
  async repliesWithSecrets(): Promise<string[]> {
    await Promise.all(this.#reading);
    return this.#secretReplies;
  }

  /** Closes the browser's window; nothing may have gone wrong in it. */
  async leave(): Promise<void> {
    await Promise.all(this.#reading);
    await this.context.close();
    const said = this.#console.join("\n");
    assert.deepEqual(this.#errors, [], "errors in the page");
    assert.deepEqual(this.#foreign, [], "requests to other origins");
    assert.doesNotMatch(said, /Content.Security.Policy/i);
    assert.doesNotMatch(said, SECRET);
  }
}

/** Runs what a person does, and looks at what the browser saw of it. */
export async function as(
  person: Promise<Person>,
  act: (person: Person) => Promise<void>,
): Promise<void> {
  const present = await person;
  let isDone = false;
  try {
    await act(present);
    isDone = true;
  } finally {
    // What failed first is what is told.
    if (isDone) await present.leave();
    else await present.context.close();
  }
}

export function secretField(page: Page): Locator {
  return page.locator("dialog textarea[readonly]");
}

/** Buttons by their names; exact, as “Revoke” is in others. */
export function button(scope: Page | Locator, name: string): Locator {
  return scope.getByRole("button", { name, exact: true });
}

/** The open dialog on top. */
export function dialog(page: Page): Locator {
  return page.locator("dialog[open]").last();
}

/** The token of the list that has this name. */
export function item(page: Page, name: string): Locator {
  return page.locator("li.token").filter({
    has: page.getByRole("heading", { name, exact: true }),
  });
}

/** A token's button, by what is written on it. */
export function action(page: Page, text: string, name: string): Locator {
  return item(page, name).getByRole("button").getByText(text, { exact: true });
}

/** Creates a token as a person does, up to where the secret is shown. */
export async function createToken(page: Page, name: string): Promise<void> {
  await button(page, "Create token").click();
  await dialog(page).getByLabel("Name").fill(name);
  await button(dialog(page), "Create token").click();
  await secretField(page).waitFor();
}

/** Copies the secret and closes its dialog. */
export async function copyAndClose(page: Page): Promise<void> {
  await button(dialog(page), "Copy").click();
  await page.getByText("Copied").waitFor();
  await button(dialog(page), "Done").click();
  await dialog(page).waitFor({ state: "detached" });
}

/** Holds back the next request to a path until what is returned is called. */
export async function hold(page: Page, path: string): Promise<() => void> {
  let letGo: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  await page.route(
    path,
    async (route) => {
      await gate;
      await route.continue();
    },
    { times: 1 },
  );
  return letGo;
}
