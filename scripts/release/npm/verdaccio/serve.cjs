/**
 * Serves an npm registry on loopback until it is ended; prints its URL once it can be asked.
 * Arguments: the folder where verdaccio is installed, the folder that keeps packages, the log.
 */

const { createRequire } = require("node:module");
const { join } = require("node:path");

const [, , installed, storage, log] = process.argv;
const { runServer } = createRequire(join(installed, "package.json"))("verdaccio");

const configuration = {
  self_path: storage,
  storage,
  // No uplinks: the registry has only what was uploaded to it, nothing falls through to npm's own.
  uplinks: {},
  packages: { "**": { access: "$all", publish: "$all" } },
  auth: { htpasswd: { file: join(storage, "htpasswd"), max_users: -1 } },
  web: { enable: false },
  log: { type: "file", path: log, level: "http" },
};

runServer(configuration).then((server) => {
  server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
});
