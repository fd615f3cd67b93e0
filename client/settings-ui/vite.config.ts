import { fileURLToPath } from "node:url";

import { defineConfig, type Plugin } from "vite";

import english from "./web/messages/en.json" with { type: "json" };

/** What a browser shows before there is a language, or without JavaScript. */
const firstTexts: Plugin = {
  name: "first-texts",
  transformIndexHtml: (html) =>
    html
      .replace("{page.title}", english["page.title"])
      .replace("{page.noScript}", english["page.noScript"]),
};

export default defineConfig({
  root: fileURLToPath(new URL("web", import.meta.url)),
  plugins: [firstTexts],
  build: {
    target: "es2022",
    // The content security policy allows no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
