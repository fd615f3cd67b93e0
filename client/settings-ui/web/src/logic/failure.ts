/** Why a request of the page did not succeed. */
import type { Problem, ProblemCode } from "../../../api/index.js";

export type FailureCode =
  | ProblemCode
  /** No answer of the backend came, in time or at all. */
  | "unreachable"
  /** A change was not sent: it would be somebody else's than the page shows. */
  | "other-person";

export class Failure extends Error {
  readonly code: FailureCode;
  /** The names of the fields at fault, with `invalid`. */
  readonly fields: readonly string[];
  /** For support; empty if there is none. */
  readonly reference: string;

  constructor(
    code: FailureCode,
    {
      fields = [],
      reference = "",
    }: { fields?: string[]; reference?: string } = {},
  ) {
    super(code);
    this.name = "Failure";
    this.code = code;
    this.fields = fields;
    this.reference = reference;
  }

  /** Whether the change that was asked for may have been made all the same. */
  get isUncertain(): boolean {
    return (
      this.code === "unreachable" ||
      this.code === "unavailable" ||
      this.code === "internal"
    );
  }

  /**
   * Whether the request was refused for what was entered. That is looked at
   * before anything else, so that no earlier try of it has succeeded; if the
   * rules changed in between, its request id still stops a second secret.
   */
  get isAboutEntries(): boolean {
    return (
      this.code === "invalid" &&
      this.fields.length > 0 &&
      !this.fields.includes("requestId")
    );
  }

  static of(problem: Problem): Failure {
    return new Failure(problem.code, {
      fields: (problem.fields ?? []).map(({ field }) => field),
      reference: problem.requestId,
    });
  }
}

/** What was thrown, as a Failure: whatever else it is, it is a fault of ours. */
export function asFailure(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : new Failure("internal");
}
