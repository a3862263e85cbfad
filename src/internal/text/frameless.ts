/** Errors that the library makes of what somebody else's code did. */

/** Removes the frames from an error. They are those of the library, and say nothing of the code that has to be changed. */
export const frameless = <E extends Error>(error: E): E => {
  error.stack = `${error.name}: ${error.message}`
  return error
}
