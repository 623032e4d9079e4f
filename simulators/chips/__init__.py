"""Emulated chips, faithful to their data sheets, presented to a reader over nfcpy's udp device."""
