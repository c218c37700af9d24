import { Component } from "react";
import type { ReactNode } from "react";
import { Failure } from "../parts/failure.tsx";

interface FenceProps {
  readonly children: ReactNode;
}

interface FenceState {
  readonly error?: unknown;
}

/** Keeps a view that cannot be drawn from taking the console with it. React has no other form for this than a class. */
export class Fence extends Component<FenceProps, FenceState> {
  override state: FenceState = {};

  static getDerivedStateFromError(error: unknown): FenceState {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === undefined) return this.props.children;
    // A part of the console that could not be fetched is not asked for again by anything but a new page.
    return <Failure error={this.state.error} again={() => location.reload()} />;
  }
}
