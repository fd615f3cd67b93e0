/** The headers that every reply has, whatever it says. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
];

// A browser that has seen it speaks https only, for a year.
const TRANSPORT_SECURITY = "max-age=31536000";

/** Returns the headers, given the origin that the page is served at. */
export function securityHeaders(origin: string): Record<string, string> {
  return {
    "cache-control": "no-store",
    "content-security-policy": POLICY.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy":
      "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    ...(origin.startsWith("https:") && {
      "strict-transport-security": TRANSPORT_SECURITY,
    }),
  };
}

/** For files whose names change with what is in them. */
export const IMMUTABLE = "public, max-age=31536000, immutable";
