import "./styles/theme.css";
import "./styles/controls.css";
import "./styles/dialog.css";
import "./styles/page.css";

import { render } from "preact";

import { apiAddress, projectOfAddress } from "./api/address.js";
import { ApiClient } from "./api/client.js";
import { loadTranslator } from "./i18n/load.js";
import { negotiate } from "./i18n/locale.js";
import { TranslatorProvider } from "./i18n/translator.js";
import { Page } from "./page/page.js";

const language = negotiate(
  new URLSearchParams(location.search).get("lang"),
  navigator.languages,
);
const translator = await loadTranslator(language);

const root = document.documentElement;
root.lang = language.locale;
root.dir = language.direction;
document.title = translator.text("page.title");

const place = document.getElementById("page");
if (!place) throw new Error("the document has no element #page");
render(
  <TranslatorProvider value={translator}>
    <Page client={new ApiClient(apiAddress())} project={projectOfAddress()} />
  </TranslatorProvider>,
  place,
);
