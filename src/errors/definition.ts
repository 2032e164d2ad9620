/** A row of the table of errors. */
export interface Definition<Data> {
  exitCode: number;
  /** A lower-case clause that names the object: "cannot pull 127.0.0.1:5000/x". */
  message: (data: Data) => string;
  /** Imperative, paste-able; undefined when nothing helps for this data. */
  hint?: (data: Data) => string | undefined;
}

/** Types a row of the table. */
export const define = <Data>(definition: Definition<Data>): Definition<Data> => definition;
