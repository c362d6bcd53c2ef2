// What of client-node is loaded. In: nothing. Out: its kubeconfig comes without the classes that it has for each kind of the API, which are
// 54 MB of memory and half of the time that a start takes. Plain JavaScript, for launchers: it must run before the first import of it.
import * as module from "node:module";

/** Only `makeApiClient` needs what is left out, and nobody here calls it. */
const SUBSTITUTE =
  "data:text/javascript,export const createConfiguration = undefined, ServerConfiguration = undefined;";

// Node 20, on which launchers begin, has none: it starts the Node that came with the packages.
module.registerHooks?.({
  resolve: (specifier, context, next) => {
    const isLeftOut =
      specifier === "./gen/index.js" && context.parentURL?.endsWith("/@kubernetes/client-node/dist/config.js") === true;
    return next(isLeftOut ? SUBSTITUTE : specifier, context);
  },
});
