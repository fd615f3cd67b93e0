/** The backend's process. */
import { connect } from "@wemasy/tokens";

import { makeApp } from "./app.js";
import { type Config, ConfigError, readConfig, usage } from "./config.js";

// As tokend's: another failure, and a configuration that is wrong.
const EXIT_FAILURE = 1;
const EXIT_CONFIG = 2;

async function serve(config: Config): Promise<void> {
  const service = connect(config.tokend, { tls: config.tokendTls });
  const app = await makeApp(config, service.tokens);
  const stop = (signal: string) => {
    app.log.info({ signal }, "stopping");
    // Requests that are under way are answered.
    void app.close().then(() => {
      service.close();
    });
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
  await app.listen({
    host: config.host.replace(/^\[|\]$/g, ""),
    port: config.port,
    listenTextResolver: () =>
      `serving ${config.origin}/projects/{project}/api-access`,
  });
  if (!config.sessionKeys) {
    app.log.warn(
      `whoever can reach this address is signed in at ${config.origin}/dev/sign-in`,
    );
  }
}

try {
  const config = readConfig(process.argv.slice(2), process.env);
  if (config) await serve(config);
  else process.stdout.write(usage());
} catch (error) {
  const isConfig = error instanceof ConfigError;
  process.stderr.write(
    `error: ${error instanceof Error ? error.message.replaceAll("\n", "\nerror: ") : String(error)}\n`,
  );
  process.exitCode = isConfig ? EXIT_CONFIG : EXIT_FAILURE;
}
