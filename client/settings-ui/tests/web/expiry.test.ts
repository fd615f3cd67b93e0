import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  dateRange,
  expireTimeOf,
  faultOf,
  replacementExpireTime,
} from "../../web/src/logic/expiry.js";

// Of a zone with summer time, so that days have 23 and 25 hours there.
process.env.TZ = "Europe/Berlin";
const NOW = new Date("2026-11-28T10:30:00Z");

describe("expireTimeOf", () => {
  it("counts days of 24 hours", () => {
    const expiry = { kind: "days", days: 90 } as const;
    assert.equal(expireTimeOf(expiry, NOW), "2027-02-26T10:30:00.000Z");
  });

  it("takes a date to its end, by the person's clock", () => {
    for (const [date, end] of [
      ["2026-12-31", "2026-12-31T23:00:00.000Z"],
      ["2027-03-28", "2027-03-28T22:00:00.000Z"],
      ["2027-10-31", "2027-10-31T23:00:00.000Z"],
      ["2028-02-29", "2028-02-29T23:00:00.000Z"],
    ] as const) {
      assert.equal(expireTimeOf({ kind: "date", date }, NOW), end);
    }
  });

  it("has no time for never", () => {
    assert.equal(expireTimeOf({ kind: "never" }, NOW), null);
  });
});

describe("faultOf", () => {
  const fault = (date: string) => faultOf({ kind: "date", date }, NOW);

  it("wants a day that there is", () => {
    for (const date of ["", "2027-02-29", "2027-13-01", "soon", "27-01-01"]) {
      assert.equal(fault(date), "missing", date);
    }
  });

  it("wants a day between today and ten years ahead", () => {
    assert.deepEqual(dateRange(NOW), {
      first: "2026-11-28",
      last: "2036-11-27",
    });
    assert.equal(fault("2026-11-27"), "range");
    assert.equal(fault("2026-11-28"), null);
    assert.equal(fault("2036-11-27"), null);
    assert.equal(fault("2036-11-28"), "range");
  });

  it("finds nothing wrong with presets", () => {
    assert.equal(faultOf({ kind: "days", days: 7 }, NOW), null);
    assert.equal(faultOf({ kind: "never" }, NOW), null);
  });

  it("never lets through what is more than ten years ahead", () => {
    const { last } = dateRange(NOW);
    const end = expireTimeOf({ kind: "date", date: last }, NOW) ?? "";
    const limit = new Date(NOW);
    limit.setFullYear(limit.getFullYear() + 10);
    assert.ok(Date.parse(end) <= limit.getTime());
  });
});

describe("replacementExpireTime", () => {
  const createTime = "2026-11-01T00:00:00Z";

  it("gives a replacement the lifetime of what it replaces", () => {
    const token = { createTime, expireTime: "2026-12-01T00:00:00Z" };
    assert.equal(replacementExpireTime(token, NOW), "2026-12-28T10:30:00.000Z");
  });

  it("is within what the service allows, also by a clock an hour behind", () => {
    const token = { createTime, expireTime: "2036-11-30T00:00:00Z" };
    const later = { createTime, expireTime: "2046-11-01T00:00:00Z" };
    const hour = 3_600_000;
    const limit = NOW.getTime() - hour + 3653 * 24 * hour;
    for (const each of [token, later]) {
      const end = Date.parse(replacementExpireTime(each, NOW) ?? "");
      assert.ok(end <= limit);
      assert.ok(end >= limit - 24 * hour);
    }
  });

  it("never ends what never ended", () => {
    const token = { createTime, expireTime: null };
    assert.equal(replacementExpireTime(token, NOW), null);
  });
});
