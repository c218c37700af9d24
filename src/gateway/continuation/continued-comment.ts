/** The comment by which a client that looks can tell that an answer was continued, behind so many characters, and by whom. */
export const continuedComment = (service: string, characters: number): string =>
  `: omni-continued service=${service.replaceAll(/[^\x21-\x7e]/g, "?")} at=${characters}\n\n`;
