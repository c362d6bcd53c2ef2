// Text that a terminal shows as it is. In: whatever a file, a client or an agent chose. Out: one harmless line.

/** C0, C1, DEL and line breaks could move the cursor or recolour the terminal, marks of direction lie about the text around them. */
const unsafe = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

export function visible(text: string): string {
  return text.replaceAll(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
