"""Processor, memory and disk pressure as the kernel measures it (PSI)."""
