// What the subscription and the last-good log write to. In: fields and a constant message. Out: nothing. A pino logger fits.

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
