"""Signal processing that several engines share: windows and spectra of streamed sound, peaks, best paths."""
