/** Where the page is, `/projects/{project}/api-access`, and what is below it. */

function page(): string {
  return location.pathname.replace(/\/$/, "");
}

/** Of the backend's API. */
export function apiAddress(): string {
  return `${page()}/api/`;
}

/** Leads to the platform's sign-in, and from there back to the page. */
export function signInAddress(): string {
  return `${page()}/sign-in`;
}

/** The project's id; empty if the address has none. */
export function projectOfAddress(): string {
  const [, project = ""] = /^\/projects\/([^/]+)\//.exec(page()) ?? [];
  return decodeURIComponent(project);
}
