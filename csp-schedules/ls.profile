cspthread profile 1
e220a8397b1dcdaf 0 8
a706dd2f4d197e6f e220a8397b1dcdaf 3
