import { useEffect, useLayoutEffect, useRef } from "react";

/** Pixels from the end within which whoever reads is taken to follow it. */
const NEAR = 120;

/**
 * Keeps the end of the page in sight after each drawing, until whoever reads scrolls up; back at the end they follow again. That
 * the end is far is no sign of it: what is drawn for the first time becomes larger than it was taken for.
 */
export function useFollowEnd(): void {
  const follows = useRef(true);
  useEffect(() => {
    let last = document.documentElement.scrollTop;
    const look = (): void => {
      const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
      if (scrollHeight - clientHeight - scrollTop < NEAR) follows.current = true;
      else if (scrollTop < last) follows.current = false;
      last = scrollTop;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useLayoutEffect(() => {
    const page = document.documentElement;
    if (follows.current) page.scrollTop = page.scrollHeight;
  });
}
