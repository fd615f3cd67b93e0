/** Looks at a state of the page as axe does, and takes its picture. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import type axe from "axe-core";
import type { Page } from "playwright-core";

const AXE = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);
const DIST = path.resolve(import.meta.dirname, "../../..");
const SCREENSHOTS = path.join(DIST, "screenshots");
const DOCS = path.resolve(DIST, "../../../docs/images");
/** Set to 1, the pictures of the documentation are made anew. */
const UPDATES_DOCS = process.env.UPDATE_DOCS_IMAGES === "1";
const MAX_DOCS_BYTES = 150_000;

mkdirSync(SCREENSHOTS, { recursive: true });

interface Options {
  /** The name of a picture in docs/images that is made of this state. */
  docs?: string;
}

/** Wants nothing to be wrong with what is shown, in both themes. */
export async function capture(
  page: Page,
  state: string,
  { docs }: Options = {},
): Promise<void> {
  // A dialog is in the window, however long the page is.
  const fullPage = (await page.locator("dialog[open]").count()) === 0;
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await assertAccessible(page, `${state}, ${colorScheme}`);
    await page.screenshot({
      ...SCREENSHOT,
      path: path.join(SCREENSHOTS, `${state}-${colorScheme}.png`),
      fullPage,
    });
  }
  if (docs !== undefined && UPDATES_DOCS) {
    mkdirSync(DOCS, { recursive: true });
    const file = path.join(DOCS, `${docs}.png`);
    await page.screenshot({ ...SCREENSHOT, path: file, fullPage });
    const { size } = statSync(file);
    assert.ok(size <= MAX_DOCS_BYTES, `${file} has ${size} bytes`);
  }
}

// Hiding the caret, or stopping animations, would take an inline style.
const SCREENSHOT = { caret: "initial", animations: "allow" } as const;

export async function assertAccessible(
  page: Page,
  state: string,
): Promise<void> {
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const { axe: run } = window as unknown as { axe: typeof axe };
    const results = await run.run({
      // Not among those that run by themselves.
      rules: { "target-size": { enabled: true } },
      resultTypes: ["violations"],
    });
    return results.violations.map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html, failureSummary }) => ({
        html,
        failureSummary,
      })),
    }));
  });
  assert.deepEqual(violations, [], state);
}
