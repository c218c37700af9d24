/**
 * Simulation: engines and cards that are none. The engines are real child processes that speak the protocols, metrics and
 * logs of the real ones and hold memory of simulated cards, which a simulated nvidia-smi shows; both can be told to fail
 * in every way that the real ones do. For `up --simulate`, chaos tests and Omni's own tests. Never here: what Omni does
 * about a failure.
 */
export {};
