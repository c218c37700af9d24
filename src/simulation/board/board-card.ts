/** A simulated card. Bytes. */
export interface BoardCard {
  /** `GPU-…`. */
  readonly uuid: string;
  /** Position in PCI bus order. */
  readonly index: number;
  readonly name: string;
  /** As nvidia-smi reports it. */
  readonly memoryTotal: number;
  /** What the driver keeps of it, so that programs see less; 0 when absent. */
  readonly reserved?: number;
  /** `0000:01:00.0`. */
  readonly pci: string;
  /** `12.0`. */
  readonly computeCapability?: string;
}
