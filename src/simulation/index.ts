/**
 * Simulation: engines and cards that are none. The engines are real child processes that speak the protocols, metrics and
 * logs of the real ones and hold memory of simulated cards, which a simulated nvidia-smi shows; both can be told to fail
 * in every way that the real ones do. For `up --simulate`, chaos tests and Omni's own tests. Never here: what Omni does
 * about a failure.
 */
export type { Board } from "./board/board.ts";
export { createBoard } from "./board/create-board.ts";
export { openBoard } from "./board/open-board.ts";
export { expectedAnswer } from "./engine/answer-text.ts";
export type { EngineSettings as SimulatedEngineSettings } from "./engine/engine-settings.ts";
export type { Fault } from "./faults/fault.ts";
export { FAULTS } from "./faults/fault.ts";
export { tellEngine } from "./faults/tell-engine.ts";
export { boardCards } from "./board-cards.ts";
export { simulatedLaunch } from "./simulated-launch.ts";
