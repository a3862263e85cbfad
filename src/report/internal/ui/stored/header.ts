/** The header with the token of the actions, in lower case. */
export const actionHeader = "x-epilogue-actions"
