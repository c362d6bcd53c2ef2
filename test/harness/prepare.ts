// Makes what the feature tests need from the network, before they enter a network of their own.
import { setup } from "./global-setup.ts";

await setup();
