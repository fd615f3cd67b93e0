"""Real gateways in front of real servers: one table of cases for all."""
