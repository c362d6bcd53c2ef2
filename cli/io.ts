// What a command may touch of its process. In: nothing. Out: the shape that main.ts fills and tests bring.

export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Results. */
  readonly out: (text: string) => void;
  /** Everything that is said beside the results. */
  readonly err: (text: string) => void;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Whether each may be coloured. */
  readonly outColours: boolean;
  readonly errColours: boolean;
  readonly readStdin: () => Promise<string>;
  readonly version: string;
}

/** Runs with the arguments after its name. Gives the exit code: 0 good, 1 no, 2 bad usage. */
export type Command = (argv: readonly string[], io: Io) => Promise<number>;
