#!/usr/bin/env node
// The operator as an executable.
import { launch } from "../process/launch.js";

await launch(new URL("main.ts", import.meta.url));
