// Which folder relative paths are read against.
import { expect, test } from "vitest";
import { callersFolder } from "./npm.ts";

const npm = { npm_lifecycle_event: "parley", npm_package_name: "parley", INIT_CWD: "/home/me/manifests" };

test("is the caller's when npm runs the script, and only then", () => {
  expect(callersFolder(npm)).toBe("/home/me/manifests");
  expect(callersFolder({ INIT_CWD: "/home/me" })).toBeUndefined();
  expect(callersFolder({ ...npm, npm_lifecycle_event: "test" })).toBeUndefined();
  expect(callersFolder({ ...npm, npm_package_name: "another" })).toBeUndefined();
  expect(callersFolder({ ...npm, INIT_CWD: undefined })).toBeUndefined();
});
