/** `--root` as this command was given it: whatever the user is told to paste has to be about the same store. */
export const given: { root: string | undefined } = { root: undefined };
