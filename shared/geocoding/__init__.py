"""Addresses and what a geocoder makes of them."""
