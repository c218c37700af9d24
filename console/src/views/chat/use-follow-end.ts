import { useEffect, useLayoutEffect, useRef } from "react";

/** Pixels from the end within which whoever reads is taken to follow it. */
const NEAR = 120;

/** Keeps the end of the page in sight after each drawing, as long as whoever reads has not scrolled away from it. */
export function useFollowEnd(): void {
  const follows = useRef(true);
  useEffect(() => {
    const look = (): void => {
      const { scrollHeight, clientHeight, scrollTop } = document.documentElement;
      follows.current = scrollHeight - clientHeight - scrollTop < NEAR;
    };
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  useLayoutEffect(() => {
    const page = document.documentElement;
    if (follows.current) page.scrollTop = page.scrollHeight;
  });
}
