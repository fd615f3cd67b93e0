/**
 * The gRPC service config for clients of the service: round robin over the
 * addresses, and retries. The same as deploy/service-config.json. For channels
 * of your own: give it, as JSON, as the option `grpc.service_config`.
 */
export const serviceConfig = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service: "wemasy.tokens.v1.AuthService" }],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.01s",
        maxBackoff: "0.1s",
        backoffMultiplier: 3,
        retryableStatusCodes: ["UNAVAILABLE", "CANCELLED"],
      },
    },
    {
      name: [{ service: "wemasy.tokens.v1.TokenService" }],
      retryPolicy: {
        maxAttempts: 4,
        initialBackoff: "0.05s",
        maxBackoff: "1s",
        backoffMultiplier: 3,
        retryableStatusCodes: ["UNAVAILABLE", "CANCELLED"],
      },
    },
  ],
  retryThrottling: { maxTokens: 100, tokenRatio: 1 },
} as const;
