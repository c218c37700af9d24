type Command = readonly [string, ...string[]];

/**
 * The engine's own command where a shell of Omni's stands around it, which looks for a model's file in a folder or writes a
 * file of options first; any other command as it is. The scripts are those of the engines' starters, and are named `omni`.
 */
export function wrappedCommand(command: Command): Command {
  const [shell, option, script = "", name, ...words] = command;
  if (!/^(?:\/usr)?\/bin\/sh$/.test(shell) || option !== "-ec" || name !== "omni") return command;
  // The one that writes a file takes its path and content before the program.
  const [program, ...rest] = words.slice(script.startsWith("printf ") ? 2 : 0);
  return program === undefined ? command : [program, ...rest];
}
