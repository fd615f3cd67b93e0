/** What a person enters to make a token. */
import type { CreateRequest, Token } from "../../../api/index.js";
import {
  type DateFault,
  type Expiry,
  expireTimeOf,
  faultOf,
  replacementExpireTime,
} from "./expiry.js";

/** What the service allows, in characters. */
const MAX_NAME = 100;
const MAX_DESCRIPTION = 1000;

export interface Draft {
  name: string;
  description: string;
  expiry: Expiry;
  scopes: readonly string[];
}

/** `excess` is by how many characters a text is too long. */
export type TextFault =
  | { kind: "empty" }
  | { kind: "tooLong"; excess: number }
  /** The service said so. */
  | { kind: "refused" };

/** What is wrong with a draft, by field. */
export interface Faults {
  name?: TextFault;
  description?: TextFault;
  expiry?: DateFault | "refused";
  scopes?: "refused";
}

/** Characters as the service counts them: an emoji of one code point is one. */
function characters(text: string): number {
  return Array.from(text).length;
}

export function faultsOf(draft: Draft, now: Date): Faults {
  const faults: Faults = {};
  const name = characters(draft.name.trim());
  if (name === 0) faults.name = { kind: "empty" };
  if (name > MAX_NAME)
    faults.name = { kind: "tooLong", excess: name - MAX_NAME };
  const description = characters(draft.description.trim());
  if (description > MAX_DESCRIPTION) {
    const excess = description - MAX_DESCRIPTION;
    faults.description = { kind: "tooLong", excess };
  }
  const expiry = faultOf(draft.expiry, now);
  if (expiry) faults.expiry = expiry;
  return faults;
}

/** The faults that the service found, by the contract's names of fields. */
export function refusedFields(fields: readonly string[]): Faults {
  const faults: Faults = {};
  if (fields.includes("displayName")) faults.name = { kind: "refused" };
  if (fields.includes("description")) faults.description = { kind: "refused" };
  if (fields.includes("expireTime")) faults.expiry = "refused";
  if (fields.includes("scopes")) faults.scopes = "refused";
  return faults;
}

/** What is changed is not wrong any more, until it is looked at again. */
export function withoutFaults(faults: Faults, changes: Partial<Draft>): Faults {
  return Object.fromEntries(
    Object.entries(faults).filter(([field]) => !(field in changes)),
  );
}

export function requestOf(
  draft: Draft,
  requestId: string,
  now: Date,
): CreateRequest {
  return {
    requestId,
    displayName: draft.name.trim(),
    description: draft.description.trim(),
    scopes: [...draft.scopes],
    expireTime: expireTimeOf(draft.expiry, now),
  };
}

/** Those of a token's scopes that a replacement cannot have. */
export function lostScopes(
  { scopes }: Token,
  offer: readonly string[],
): string[] {
  return scopes.filter((scope) => !offer.includes(scope));
}

/** A token like the one that leaked, as far as its scopes are on offer. */
export function replacementOf(
  token: Token,
  offer: readonly string[],
  requestId: string,
  now: Date,
): CreateRequest {
  return {
    requestId,
    displayName: token.displayName,
    description: token.description,
    scopes: token.scopes.filter((scope) => offer.includes(scope)),
    expireTime: replacementExpireTime(token, now),
  };
}
