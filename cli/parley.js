#!/usr/bin/env node
// `parley` as an executable.
import "../operator/kube/lean-client-node.js";
import { launch } from "../process/launch.js";

await launch(new URL("main.ts", import.meta.url));
