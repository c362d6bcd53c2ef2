#!/usr/bin/env node
// The operator as an executable.
import { setFlagsFromString } from "node:v8";
import { launch } from "../process/launch.js";
import "./kube/lean-client-node.js";

// Nearly all that is read is kept: without this, a third of the heap would be the holes that the rest leaves between it.
setFlagsFromString("--optimize-for-size");
// For the same reason the space for young objects should not grow: it would be there for good.
setFlagsFromString("--semi-space-growth-factor=1");

await launch(new URL("main.ts", import.meta.url));
