#!/usr/bin/env node
// The operator as an executable.
import { launch } from "../process/launch.js";
import "./kube/lean-client-node.js";

await launch(new URL("main.ts", import.meta.url));
