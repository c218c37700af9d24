import { expect, it } from "vitest";
import { ApiError } from "../../api/api-error.ts";
import { isLockout, refusalFields } from "./refusal-fields.ts";

it("finds the field that a refusal is about", () => {
  expect(refusalFields(new ApiError(400, "invalid_body", "too small", "limits.concurrent"))).toEqual({
    "limits.concurrent": "too small",
  });
  expect(refusalFields(new ApiError(409, "key_exists", "There is one."))).toEqual({ name: "There is one." });
  expect(refusalFields(new Error("no"))).toEqual({ "": "no" });
  expect(refusalFields(undefined)).toEqual({});
});

it("knows what may be forced", () => {
  expect(isLockout(new ApiError(409, "key_last_admin", ""))).toBe(true);
  expect(isLockout(new ApiError(409, "key_exists", ""))).toBe(false);
});
