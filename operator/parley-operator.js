#!/usr/bin/env node
// The operator as an executable.
import { setFlagsFromString } from "node:v8";
import { launch } from "../process/launch.js";
import "./kube/lean-client-node.js";

// Nearly all that is read is kept, so a larger space for young objects would save nothing and be there for good.
setFlagsFromString("--semi-space-growth-factor=1");

await launch(new URL("main.ts", import.meta.url));
